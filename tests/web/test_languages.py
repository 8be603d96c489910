"""The language in which a page shows a text."""

from __future__ import annotations

import pytest

from newsletter.digest.languages import page_chain, pick_or_any
from newsletter.web.languages import short_label

CHOICES = [["en"], ["be", "ru"]]


@pytest.mark.parametrize(
    ("language", "chain"),
    [
        ("be", ("be", "ru", "en")),
        ("ru", ("ru", "be", "en")),
        ("en", ("en", "be", "ru")),
        ("ka", ("ka", "en", "be", "ru")),
    ],
)
def test_a_pages_chain_starts_with_its_language_and_that_languages_choice(
    language: str, chain: tuple[str, ...]
) -> None:
    assert page_chain(language, CHOICES, ["en", "be", "ru"]) == chain


def test_the_choice_that_starts_with_the_pages_language_wins() -> None:
    assert page_chain("ru", [["be", "ru"], ["ru", "en"]], ["en", "be"]) == ("ru", "en", "be")


def test_a_text_outside_the_chain_is_still_shown() -> None:
    assert pick_or_any(("be", "ru"), ["pl", "ka"]) == "pl"
    assert pick_or_any(("be", "ru"), []) is None


def test_belarusian_is_labelled_by() -> None:
    assert [short_label(code) for code in ("en", "be", "ru")] == ["en", "by", "ru"]

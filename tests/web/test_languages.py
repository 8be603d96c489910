"""Which language a page shows a text in."""

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
def test_the_chain_of_a_page_begins_with_its_language_then_its_choice(
    language: str, chain: tuple[str, ...]
) -> None:
    assert page_chain(language, CHOICES, ["en", "be", "ru"]) == chain


def test_of_two_choices_the_one_that_begins_with_the_language_rules() -> None:
    assert page_chain("ru", [["be", "ru"], ["ru", "en"]], ["en", "be"]) == ("ru", "en", "be")


def test_what_is_in_no_language_of_the_chain_is_still_shown() -> None:
    assert pick_or_any(("be", "ru"), ["pl", "ka"]) == "pl"
    assert pick_or_any(("be", "ru"), []) is None


def test_the_switch_says_by() -> None:
    assert [short_label(code) for code in ("en", "be", "ru")] == ["en", "by", "ru"]

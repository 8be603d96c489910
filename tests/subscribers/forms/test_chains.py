"""Chains of languages, from the sign-up form and the preferences form."""

from __future__ import annotations

import pytest

from subscribers.forms.preferences import reordered
from subscribers.forms.signup import chain_of


@pytest.mark.parametrize(
    ("choices", "page", "chain"),
    [
        ([["be", "ru"]], "be", ("be", "ru")),
        ([["be", "ru"]], "ru", ("ru", "be")),
        ([["en"], ["be", "ru"]], "ru", ("ru", "en", "be")),
        ([["en"], ["be", "ru"]], "en", ("en", "be", "ru")),
        ([["en", "ru"], ["be", "ru"]], "be", ("be", "en", "ru")),
        ([["en"]], "ka", ("en",)),
    ],
)
def test_the_pages_language_comes_first_then_the_order_of_the_choices(
    choices: list[list[str]], page: str, chain: tuple[str, ...]
) -> None:
    assert chain_of(choices, page) == chain


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ("be ru", ["ru", "ru", ""], ("ru", "be")),
        ("be ru", ["be", "be", ""], ("ru", "be")),
        ("be ru", ["ru", "be", ""], ("ru", "be")),
        ("be ru en", ["en", "ru", "en"], ("en", "ru", "be")),
        ("be", ["be", "be", ""], ("be",)),
        ("en", ["be", "", "be"], ("be",)),
        ("be ru", ["be", "", ""], ("be",)),
        ("be ru en", ["ru", "ru", "ru"], ("ru", "be")),
    ],
)
def test_no_language_is_lost_by_swapping(
    before: str, chosen: list[str], after: tuple[str, ...]
) -> None:
    assert reordered(chosen, before.split()) == after

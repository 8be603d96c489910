"""Several choices make one chain."""

from __future__ import annotations

import pytest

from subscribers.chains import chain_of


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
def test_the_pages_language_first_then_the_choices_order(
    choices: list[list[str]], page: str, chain: tuple[str, ...]
) -> None:
    assert chain_of(choices, page) == chain

"""Languages' names in themselves, as one list reads them."""

from __future__ import annotations

import pytest
from django.conf import settings

from newsletter.lib.languages import own_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("be", "беларуская"),
        ("ru", "русский"),
        ("uk", "українська"),
        ("en", "English"),
        ("de", "Deutsch"),
        ("el", "Ελληνικά"),
        ("xx", "xx"),
    ],
)
def test_a_language_is_named_as_its_own_orthography_writes_it(code: str, name: str) -> None:
    assert own_name(code) == name


def test_the_sites_languages_have_the_same_names() -> None:
    assert [name for _code, name in settings.LANGUAGES] == ["English", "беларуская", "русский"]

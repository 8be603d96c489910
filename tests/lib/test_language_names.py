"""Names of languages, in themselves and in each other (F1)."""

from __future__ import annotations

import pytest
from django.conf import settings

from newsletter.lib.languages import language_name, language_name_in


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
    assert language_name(code) == name


def test_the_sites_languages_have_the_same_names() -> None:
    assert [name for _code, name in settings.LANGUAGES] == ["English", "беларуская", "русский"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("be", ("Belarusian", "беларуская", "белорусский")),
        ("en", ("English", "англійская", "английский")),
        ("uk", ("Ukrainian", "украінская", "украинский")),
        ("xx", ("xx", "xx", "xx")),
    ],
)
def test_in_a_sentence_a_language_is_named_in_the_sentences_language(
    code: str, names: tuple[str, ...]
) -> None:
    for language, name in zip(("en", "be", "ru"), names, strict=True):
        assert language_name_in(code, language) == name


def test_a_language_without_a_name_in_another_keeps_its_own() -> None:
    assert language_name_in("be", "xx") == "беларуская"

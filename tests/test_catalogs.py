"""Every text of the interface is translated into Belarusian and Russian.

If one is missing, run `manage.py makemessages -l be -l ru --no-wrap --no-obsolete --add-location
file -i .venv -i var -i tests`, then translate the empty ones. These tests extract
msgids like `makemessages`, but without the gettext tools: Django's `templatize` turns a template
into Python, and Babel reads Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

BASE = Path(settings.BASE_DIR)
LANGUAGES = ("be", "ru")
FORMS = 4
"""The number of plural forms in Django's catalogs of both languages (F1)."""

KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
TAG = re.compile(r"<[^>]+>")

Key = tuple[str, str | None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_interface_is_in_the_catalog(language: str) -> None:
    known = {(_singular(message), message.context) for message in _messages(language)}
    missing = {key: place for key, place in _used().items() if key not in known}
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalog_has_no_unused_texts(language: str) -> None:
    known = {(_singular(message), message.context) for message in _messages(language)}
    assert not known - set(_used())
    assert not _catalog(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_fuzzy(language: str) -> None:
    untranslated = [
        message.id
        for message in _messages(language)
        if message.fuzzy or not _texts(message) or not all(map(str.strip, _texts(message)))
    ]
    assert untranslated == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_all_forms(language: str) -> None:
    catalog = _catalog(language)
    assert catalog.num_plurals == FORMS
    plurals = [message for message in _messages(language) if message.pluralizable]
    assert plurals
    assert {len(_texts(message)) for message in plurals} == {FORMS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_tags_agree(language: str) -> None:
    for message in _messages(language):
        for text in _texts(message):
            original = _singular(message)
            assert _placeholders_and_tags(text) == _placeholders_and_tags(original), original


@pytest.mark.parametrize("language", LANGUAGES)
def test_punctuation_follows_the_language(language: str) -> None:
    """Quotes are «…», except in samples of JSON; apostrophes and dashes are typographic."""
    for message in _messages(language):
        for text in _texts(message):
            words = TAG.sub("", text)
            assert not set(words) & set("“”'"), text
            assert '"' not in words or "[" in words, text
            assert " - " not in words.replace(", - ", ""), text
            assert "  " not in words, text


@pytest.mark.parametrize(("language", "foreign"), [("be", "иИщЩъЪ"), ("ru", "іІўЎ’")])
def test_the_alphabet_is_that_of_the_language(language: str, foreign: str) -> None:
    """A text copied from the other catalog shows by its letters."""
    for message in _messages(language):
        for text in _texts(message):
            assert not set(text) & set(foreign), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_begins_and_ends_like_its_original(language: str) -> None:
    """Lower-case labels stay lower-case; full stops and colons stay."""
    for message in _messages(language):
        for original, text in zip(_originals(message), _texts(message), strict=False):
            if original[0].isalpha() and text[0].isalpha():
                assert original[0].isupper() == text[0].isupper(), original
            for mark in ".:?…":
                assert original.endswith(mark) == text.endswith(mark), original


def test_polite_pronouns_are_lower_case() -> None:
    """Write “вы”, except at the beginning of a sentence."""
    inside = re.compile(r"[^.!?:»]\s(Вы|Вас|Вам|Вамі|Вами|Ваш\w*)\b")
    for language in LANGUAGES:
        for message in _messages(language):
            for text in _texts(message):
                assert not inside.search(text), text


def test_texts_are_extracted_from_python_and_templates() -> None:
    used = {key[0] for key in _used()}
    assert {"View in browser", "Skip to content", "%(number)s article", "Save"} <= used


# --- Helpers ----------------------------------------------------------------------------------
@cache
def _catalog(language: str) -> Catalog:
    path = BASE / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as source:
        return read_po(source, locale=language)


def _messages(language: str) -> list[Message]:
    return [message for message in _catalog(language) if message.id]


def _originals(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _singular(message: Message) -> str:
    return _originals(message)[0]


def _texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _placeholders_and_tags(text: str) -> tuple[list[str], list[str]]:
    return sorted(set(PLACEHOLDER.findall(text))), sorted(TAG.findall(text))


@cache
def _used() -> dict[Key, str]:
    """Map each text that sources and templates mark to the first file that uses it."""
    found: dict[Key, str] = {}
    for path in _sources():
        for key in _marked(path):
            found.setdefault(key, str(path.relative_to(BASE)))
    return found


def _sources() -> Iterator[Path]:
    for folder in ("newsletter", "subscribers", "templates"):
        for path in sorted((BASE / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".txt", ".mjml", ".xml"}:
                yield path


def _marked(path: Path) -> Iterator[Key]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Drop the indentation: the result isn't a valid program, but its calls can be found.
        lines = templatize(text, origin=str(path)).splitlines()
        text = "\n".join(line.strip() for line in lines)
    for _line, message, _comments, context in extract(
        "python", BytesIO(text.encode()), keywords=KEYWORDS
    ):
        yield (message if isinstance(message, str) else message[0]), context

"""Placeholders, mixed alphabets, doubled words, and texts in another language.

A false alarm costs more than a miss: who is warned without reason stops reading warnings.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

_PLACEHOLDER = re.compile(
    r"\b(TKTK|TK|TODO|FIXME|lorem ipsum)\b|(?<!\w)(\?\?\?|#REF!)", re.IGNORECASE
)
_ALWAYS_UPPER = {"TK", "TKTK", "TODO", "FIXME"}
"""Only in capitals: “todo” is a word in Spanish."""
_TOKEN = re.compile(r"[^\W\d_]+", re.UNICODE)
_LATIN_TWINS = set("aceopxyiABCEHKMOPTXIy")
"""Latin characters that look like Cyrillic ones."""
_DOUBLED = re.compile(r"\b([^\W\d_]{2,})[ \u00a0]+\1\b", re.UNICODE)
_MAY_STAND_TWICE = {"had", "that", "bye", "very", "очень", "много", "вельмі", "далёка", "ледзь"}
_MARKERS = {"be": set("ўі"), "ru": set("ищъ"), "uk": set("їєґ")}
"""Letters that only one of the languages has. “і” is Ukrainian, too, but “и” isn't Belarusian."""
_LEAST_LETTERS = 20
_CYRILLIC_LANGUAGES = {"be", "ru", "uk"}
_LATIN_LANGUAGES = {"en", "de", "fr", "es", "it", "pl", "lt", "lv", "et", "cs", "sv", "nl"}


def placeholders(text: str) -> list[str]:
    """Return what was to be replaced and wasn't, once each: "TK", "TODO", "lorem ipsum" …"""
    found = (match.group(0) for match in _PLACEHOLDER.finditer(text))
    return _once(
        each for each in found if each.upper() not in _ALWAYS_UPPER or each == each.upper()
    )


def mixed_words(text: str) -> list[str]:
    """Return words with Latin and Cyrillic letters in them, such as “сiтуацыя” with a Latin i."""
    found = []
    for token in _TOKEN.findall(unicodedata.normalize("NFC", text)):
        scripts = {_script(letter) for letter in token}
        if {"LATIN", "CYRILLIC"} <= scripts:
            found.append(token)
    return _once(found)


def disguised_words(text: str, language: str) -> list[str]:
    """Return words of a Cyrillic text that consist of look-alike Latin letters: “oco” for “осо”.

    Single characters and capitals as in “CEO” don't count.
    """
    if language not in _CYRILLIC_LANGUAGES:
        return []
    return _once(
        token
        for token in _TOKEN.findall(text)
        if len(token) > 2
        and set(token) <= _LATIN_TWINS
        and not token.isupper()
        and not (set(token) & set("iI"))
    )


def doubled_words(text: str) -> list[str]:
    """Return words that stand twice in a row: “the the”."""
    found = (match.group(1) for match in _DOUBLED.finditer(text))
    return _once(each for each in found if each.casefold() not in _MAY_STAND_TWICE)


def other_language(text: str, language: str) -> str:
    """Return the language that a paragraph is evidently in, if it isn't `language`; "" if it is, or
    if that can't be told.

    Letters decide, so this tells be, ru, uk and languages in Latin letters apart, and no others.
    """
    letters = Counter(letter for letter in text.casefold() if letter.isalpha())
    total = sum(letters.values())
    if total < _LEAST_LETTERS:
        return ""
    cyrillic = sum(count for letter, count in letters.items() if _script(letter) == "CYRILLIC")
    latin = sum(count for letter, count in letters.items() if _script(letter) == "LATIN")
    if language in _CYRILLIC_LANGUAGES and latin > 0.9 * total:
        return "en"
    if language in _LATIN_LANGUAGES and cyrillic > 0.9 * total:
        return _cyrillic_language(letters) or "ru"
    if language in _CYRILLIC_LANGUAGES and cyrillic > 0.9 * total:
        found = _cyrillic_language(letters)
        return found if found and found != language else ""
    return ""


def _cyrillic_language(letters: Counter[str]) -> str:
    """Return the one language whose own letters occur, and occur more than once; or ""."""
    counts = {
        language: sum(letters[letter] for letter in marks) for language, marks in _MARKERS.items()
    }
    if counts["uk"] >= 2:
        return "uk"
    be, ru = counts["be"], counts["ru"]
    if be >= 3 and be > 5 * ru:
        return "be"
    if ru >= 3 and ru > 5 * be:
        return "ru"
    return ""


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _once(found: Iterator[str] | list[str]) -> list[str]:
    return list(dict.fromkeys(found))

"""Slugs made from headlines (F6): transliterated, never empty, and stable once public."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from newsletter.lib.language_rules import rules_for, script_letters

if TYPE_CHECKING:
    from newsletter.editorial.models import ArticleTranslation

MAX_LENGTH = 100
"""Characters. The model's field has room for a number after it."""

APOSTROPHES = "'’ʼ‘‛`´′＇"
"""Signs that people type as an apostrophe. Between letters they are part of the word."""

SIGNS = {"+": " plus ", "№": " no "}
"""Signs whose loss would change what a headline says, in Latin letters."""

FRACTION_SLASH = "\u2044"

_APOSTROPHE = re.compile(rf"(?<=[^\W\d_])[{APOSTROPHES}](?=[^\W\d_])")
_GROUPED_DIGITS = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?![\d.,]?\d)")
# A minus stands at the beginning of a word and before a number. In “10 –15”, a dash stands between
# two numbers.
_MINUS = re.compile(r"(?<![^\s(«„“\"])(?<!\d\s)[-−–﹣－](?=\d)")
_SEPARATE = frozenset("PSZC")
"""The first letters of the Unicode categories that separate words: punctuation, symbols, spaces."""


def slug_for(text: str, language: str) -> str:
    """Return a slug for a headline: "Навіны тыдня", "be" → "naviny-tydnia".

    Any dash, quotation mark, slash, space or other sign separates words. A minus before a number
    and a plus are written out: "−5 %" → "minus-5", "C++" → "c-plus-plus". Letters without a
    transliteration are dropped. If none is left, the slug is "article-" and a hash of the text.
    """
    latin = {**script_letters(), **rules_for(language).slug_letters}
    written = _MINUS.sub(" minus ", unicodedata.normalize("NFC", text).lower())
    grouped = _GROUPED_DIGITS.sub(lambda number: re.sub(r"\s", "", number[0]), written)
    joined = _APOSTROPHE.sub("", grouped)
    transliterated = "".join(_transliterate(character, latin) for character in joined)
    plain = transliterated.lower().encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > MAX_LENGTH:
        slug = slug[:MAX_LENGTH].rpartition("-")[0] or slug[:MAX_LENGTH]
    return slug or f"article-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _transliterate(character: str, latin: Mapping[str, str]) -> str:
    """Return Latin letters and digits, or a space if the character separates words.

    A letter loses its accents if the table has no row for it.
    """
    if character in latin:
        return latin[character]
    if character in SIGNS:
        return SIGNS[character]
    category = unicodedata.category(character)
    if category == "Cf":
        return ""  # a soft hyphen or a joiner is inside a word
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if category[0] in _SEPARATE:
        return " "
    parts = unicodedata.normalize("NFKD", character)
    letters = "".join(latin.get(part, part) for part in parts)
    if category == "No" and unicodedata.decomposition(character).startswith(("<fra", "<super")):
        # “5½” isn't 51/2, and “10⁶” isn't 106.
        return f" {letters.replace(FRACTION_SLASH, ' ')} "
    return letters


def free_slug(translation: ArticleTranslation) -> str:
    """Return the headline's slug, with -2, -3 … if another article in the language has it."""
    base = slug_for(translation.headline, translation.language)
    others = type(translation).objects.filter(language=translation.language)
    taken = set(
        others.filter(slug__startswith=base)
        .exclude(pk=translation.pk)
        .values_list("slug", flat=True)
    )
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug

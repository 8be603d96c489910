"""Addresses made from headlines (F6): a table per language, never empty, stable once made."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.editorial.models import ArticleTranslation

LONGEST = 100
"""Characters; the field has room for a number behind."""


def _table(letters: str, latin: str) -> dict[str, str]:
    """The Latin letters for each letter, with "-" for a letter that is left out."""
    words = ("" if word == "-" else word for word in latin.split())
    return dict(zip(letters, words, strict=True))


_CYRILLIC = _table(
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya",
)
_BELARUSIAN = {**_CYRILLIC, **_table("гґіўёюя", "h g i u io iu ia")}
_UKRAINIAN = {**_CYRILLIC, **_table("гґиіїє", "h g y i yi ye")}
_GEORGIAN = _table(
    "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz ts ch kh j h",
)

TABLES = {"be": _BELARUSIAN, "ru": _CYRILLIC, "uk": _UKRAINIAN, "ka": _GEORGIAN}
# Latin letters that do not fall apart into a letter and an accent.
_LATIN = {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"}


def slug_for(text: str, language: str) -> str:
    """The address part for a headline: "Навіны тыдня", "be" → "naviny-tydnia".

    A script without a table gives "article-" and a hash of the text, so it is never empty.
    """
    table = {**_CYRILLIC, **_LATIN, **TABLES.get(language.partition("-")[0], {})}
    lowered = unicodedata.normalize("NFC", text).lower()
    written = "".join(table.get(letter, letter) for letter in lowered)
    plain = unicodedata.normalize("NFKD", written).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    if len(slug) > LONGEST:
        slug = slug[:LONGEST].rpartition("-")[0] or slug[:LONGEST]
    return slug or f"article-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def free_slug(translation: ArticleTranslation) -> str:
    """The headline's slug, with -2, -3 … where another article of the language has it."""
    wanted = slug_for(translation.headline, translation.language)
    others = type(translation).objects.filter(language=translation.language)
    taken = set(
        others.filter(slug__startswith=wanted)
        .exclude(pk=translation.pk)
        .values_list("slug", flat=True)
    )
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug

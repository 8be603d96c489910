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


def slug_for(text: str, language: str) -> str:
    """Return a slug for a headline: "Навіны тыдня", "be" → "naviny-tydnia".

    Letters without a transliteration are dropped. If none is left, the slug is "article-" and a
    hash of the text.
    """
    latin = {**script_letters(), **rules_for(language).slug_letters}
    lowered = unicodedata.normalize("NFC", text).lower()
    transliterated = "".join(_transliterate(letter, latin) for letter in lowered)
    plain = transliterated.encode("ascii", "ignore").decode().replace("'", "")
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > MAX_LENGTH:
        slug = slug[:MAX_LENGTH].rpartition("-")[0] or slug[:MAX_LENGTH]
    return slug or f"article-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _transliterate(letter: str, latin: Mapping[str, str]) -> str:
    """Return Latin letters, without the letter's accents if the table has no row for it."""
    if letter in latin:
        return latin[letter]
    return "".join(latin.get(part, part) for part in unicodedata.normalize("NFKD", letter))


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

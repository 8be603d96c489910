"""Base classes for models with texts in several languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from django.db import models

from newsletter.digest.languages import pick, pick_or_any
from newsletter.lib.languages import LanguageField

T = TypeVar("T", bound="Translation")


class Translation(models.Model):
    """The texts of an object in one language. Subclasses add the foreign key."""

    language = LanguageField()

    class Meta:
        abstract = True


class Translated(Generic[T]):
    """An object with `translations`, one row per language.

    Prefetched translations are used as they are. For a public article these are only the ready
    ones (`ArticleQuerySet.public`).
    """

    translations: Any
    """The related manager that Django adds."""

    def texts(self) -> dict[str, T]:
        """Return the translations by language, the oldest first."""
        rows: Iterable[T] = self.translations.all()
        # Sorted here, because ordering the queryset would ignore the prefetched rows.
        return {text.language: text for text in sorted(rows, key=_creation_order)}

    def text(self, chain: Iterable[str]) -> T | None:
        """Return the translation in the first available language of `chain`, or None."""
        texts = self.texts()
        language = pick(chain, texts)
        return texts[language] if language else None

    def any_text(self, chain: Iterable[str]) -> T | None:
        """Return the translation that `text` returns, or else the oldest one, or None."""
        texts = self.texts()
        language = pick_or_any(chain, texts)
        return texts[language] if language else None


def _creation_order(text: Translation) -> int:
    return int(text.pk)

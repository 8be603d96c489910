"""What has its words in several languages, and the rows that hold them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from django.db import models

from newsletter.digest.languages import pick, pick_or_any
from newsletter.lib.languages import LanguageField

T = TypeVar("T", bound="Translation")


class Translation(models.Model):
    """The words of something in one language. The owner's field is the subclass's."""

    language = LanguageField()

    class Meta:
        abstract = True


class Translated(Generic[T]):
    """Something with `translations`, one row per language.

    Prefetched translations are used as they are: of a public article those are the ready ones
    only (`ArticleQuerySet.public`).
    """

    translations: Any
    """The related manager, which Django adds."""

    def texts(self) -> dict[str, T]:
        """The translations by language, the oldest first."""
        rows: Iterable[T] = self.translations.all()
        # Sorted here, because ordering the queryset would ask the database again.
        return {text.language: text for text in sorted(rows, key=_age)}

    def text(self, chain: Iterable[str]) -> T | None:
        """The translation in the first language of `chain` that there is, or None."""
        texts = self.texts()
        language = pick(chain, texts)
        return texts[language] if language else None

    def any_text(self, chain: Iterable[str]) -> T | None:
        """The same, but the oldest translation if none is in the chain's languages."""
        texts = self.texts()
        language = pick_or_any(chain, texts)
        return texts[language] if language else None


def _age(text: Translation) -> int:
    return int(text.pk)

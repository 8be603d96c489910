"""The history of a text: its revision, the revision it was translated from, and corrections.

A translation is stale if its original has changed since. Saving a changed translation counts as
bringing it up to date.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.editorial.slugs import free_slug

if TYPE_CHECKING:
    from newsletter.editorial.models import ArticleTranslation

TRACKED_FIELDS = ("headline", "lead", "body")
"""A change of any of these makes a new revision."""


def prepare_to_save(text: ArticleTranslation, *, at: datetime) -> None:
    """Set the fields that follow from the others before `text` is saved. Expects a clean `body`."""
    stored = type(text).objects.filter(pk=text.pk).first() if text.pk else None
    changed = stored is None or any(
        getattr(stored, name) != getattr(text, name) for name in TRACKED_FIELDS
    )
    if stored is not None and changed:
        text.revision = stored.revision + 1
    if changed and not text.is_original:
        text.source_revision = original_revision(text)
    _set_slug(text, stored, at=at)
    if not text.correction:
        text.corrected_at = None
    elif text.is_public(at) and (stored is None or text.correction != stored.correction):
        text.corrected_at = at


def original_revision(text: ArticleTranslation) -> int | None:
    """Return the current revision of the article's original, or None if that is missing."""
    originals = type(text).objects.filter(
        article=text.article_id, language=text.article.original_language
    )
    return originals.values_list("revision", flat=True).first()


def is_stale(text: ArticleTranslation, original: ArticleTranslation | None) -> bool:
    """Return whether the original has changed since the translation was made."""
    if original is None or original.language == text.language:
        return False
    return text.source_revision is not None and text.source_revision < original.revision


def mark_up_to_date(text: ArticleTranslation) -> None:
    """Record that a translation matches the current revision of its original."""
    text.source_revision = original_revision(text)
    text.save(update_fields=["source_revision"])


def _set_slug(text: ArticleTranslation, stored: ArticleTranslation | None, *, at: datetime) -> None:
    """Keep the slug of a public text, because emails that were sent link to it."""
    if stored is not None and stored.is_public(at):
        text.slug = stored.slug
    elif not text.slug:
        text.slug = free_slug(text)

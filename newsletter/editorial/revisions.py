"""What the desk must know of a text's history: its revision, what it was made from, corrections.

A translation is stale where its original has been changed since. Saving a changed translation
takes it as brought up to date.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.editorial.models import ArticleTranslation
from newsletter.editorial.slugs import free_slug

COUNTED = ("headline", "lead", "body")
"""A change of any of these is a new revision."""


def prepare_to_save(text: ArticleTranslation, *, at: datetime) -> None:
    """Set what follows from a text that is about to be saved; `body` is clean already."""
    before = ArticleTranslation.objects.filter(pk=text.pk).first() if text.pk else None
    changed = before is None or any(getattr(before, n) != getattr(text, n) for n in COUNTED)
    if before is not None and changed:
        text.revision = before.revision + 1
    if changed and not text.is_original:
        text.source_revision = original_revision(text)
    _give_address(text, before, at=at)
    if not text.correction:
        text.corrected_at = None
    elif text.is_public(at) and (before is None or text.correction != before.correction):
        text.corrected_at = at


def original_revision(text: ArticleTranslation) -> int | None:
    """The revision of the article's original now; None where there is no original text."""
    originals = ArticleTranslation.objects.filter(
        article=text.article_id, language=text.article.original_language
    )
    return originals.values_list("revision", flat=True).first()


def is_stale(text: ArticleTranslation, original: ArticleTranslation | None) -> bool:
    """Whether the original has changed since the translation was made."""
    if original is None or original.language == text.language:
        return False
    return text.source_revision is not None and text.source_revision < original.revision


def mark_up_to_date(text: ArticleTranslation) -> None:
    """Record that a translation fits its original as it is now."""
    text.source_revision = original_revision(text)
    text.save(update_fields=["source_revision"])


def _give_address(
    text: ArticleTranslation, before: ArticleTranslation | None, *, at: datetime
) -> None:
    """An address once public stays: it stands in mails that were sent."""
    if before is not None and before.is_public(at):
        text.slug = before.slug
    elif not text.slug:
        text.slug = free_slug(text)

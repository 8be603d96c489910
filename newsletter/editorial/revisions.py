"""The history of a text: its revisions, the one it was translated from, and corrections.

Each save that changes anything adds a revision. A translation is stale if its original has changed
since somebody last marked the translation as up to date; changing the translation doesn't count.

While somebody types, the page saves every few seconds. Of one person's consecutive autosaves, those
of the last ten minutes are all kept, and of the older ones the last in each ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Max, Q, QuerySet

from newsletter.editorial.slugs import free_slug

if TYPE_CHECKING:
    from newsletter.editorial.models import Article, ArticleTranslation, Revision, User

TEXT_FIELDS = ("headline", "lead", "body")
"""A translation is stale after a change of any of these in its original."""
FIELDS = (*TEXT_FIELDS, "authors", "alt_text", "slug", "correction", "state")
"""A change of any of these makes a new revision."""
THIN_OUT = timedelta(minutes=10)


def content_of(text: ArticleTranslation) -> dict[str, str]:
    """Return what a revision stores of the text."""
    return {name: str(getattr(text, name)) for name in FIELDS}


def revisions_of(article: Article | int, language: str) -> QuerySet[Revision]:
    """Return the revisions of an article in a language, the newest first."""
    rows: QuerySet[Revision] = _revisions().filter(article=article, language=language)
    return rows.select_related("author").order_by("-number")


def prepare_to_save(text: ArticleTranslation, *, at: datetime, keeps_slug: bool) -> bool:
    """Set what follows from the other fields before `text` is saved; return whether it changed.

    Expects a clean `body`. With `keeps_slug`, a missing slug stays missing: while somebody types,
    the headline isn't finished yet.
    """
    stored = type(text).objects.filter(pk=text.pk).first() if text.pk else None
    _set_slug(text, stored, at=at, keeps_slug=keeps_slug)
    is_changed = stored is None or content_of(stored) != content_of(text)
    if is_changed:
        text.revision = next_number(text.article_id, text.language)
    if stored is None or any(getattr(stored, name) != getattr(text, name) for name in TEXT_FIELDS):
        text.text_revision = text.revision
    if stored is None and text.source_revision is None and not text.is_original:
        text.source_revision = original_revision(text)
    if not text.correction:
        text.corrected_at = None
    elif text.is_public(at) and (stored is None or text.correction != stored.correction):
        text.corrected_at = at
    return is_changed


def next_number(article_id: int, language: str) -> int:
    """Return the number of the next revision. The caller has locked the article's row."""
    rows = _revisions().filter(article=article_id, language=language)
    return (rows.aggregate(last=Max("number"))["last"] or 0) + 1


def record(text: ArticleTranslation, *, kind: Revision.Kind, by: User | None, at: datetime) -> None:
    """Add the revision of a text that was just saved with changes."""
    _revisions().create(
        article_id=text.article_id,
        language=text.language,
        number=text.revision,
        kind=kind,
        author=by,
        at=at,
        content=content_of(text),
    )
    if by is not None and kind == kind.AUTOSAVED:
        _thin_out_autosaves(text, by=by, at=at)


def prepare_first(text: ArticleTranslation, *, at: datetime) -> None:
    """Like `prepare_to_save` for a text of an article that is itself new, without any query.

    The article's original, if this isn't it, is new too.
    """
    text.revision = text.text_revision = 1
    text.source_revision = None if text.is_original else 1
    text.corrected_at = at if text.correction and text.is_public(at) else None


def record_first(texts: Sequence[ArticleTranslation], *, at: datetime, batch_size: int) -> None:
    """Add the revisions of texts that went through `prepare_first` and were just stored."""
    model = _revisions().model
    rows = [
        model(
            article_id=text.article_id,
            language=text.language,
            number=text.revision,
            at=at,
            content=content_of(text),
        )
        for text in texts
    ]
    _revisions().bulk_create(rows, batch_size=batch_size)


def _thin_out_autosaves(text: ArticleTranslation, *, by: User, at: datetime) -> None:
    rows = revisions_of(text.article_id, text.language).exclude(kind="kept")
    superseded: list[int] = []
    kept: set[float] = set()
    for row in rows.only("pk", "number", "kind", "author", "at"):
        if row.kind != "autosaved" or row.author_id != by.pk:
            break
        period = row.at.timestamp() // THIN_OUT.total_seconds()
        if row.at < at - THIN_OUT and period in kept:
            superseded.append(row.pk)
        kept.add(period)
    # A translator still needs the revision from which the remaining difference is counted.
    translations = type(text).objects.filter(article=text.article_id)
    sources = translations.exclude(source_revision=None).values("source_revision")
    needed = Q(language=text.article.original_language, number__in=sources)
    _revisions().filter(pk__in=superseded).exclude(needed).delete()


def original_revision(text: ArticleTranslation) -> int | None:
    """Return the current revision of the article's original, or None if that is missing."""
    originals = type(text).objects.filter(
        article=text.article_id, language=text.article.original_language
    )
    return originals.values_list("revision", flat=True).first()


def is_stale(text: ArticleTranslation, original: ArticleTranslation | None) -> bool:
    """Return whether the original has changed since the translation was last up to date."""
    if original is None or original.language == text.language:
        return False
    return text.source_revision is not None and text.source_revision < original.text_revision


def mark_up_to_date(text: ArticleTranslation, *, source: int | None = None) -> None:
    """Record that a translation matches a revision of its original, by default the current one."""
    text.source_revision = source or original_revision(text)
    text.save(update_fields=["source_revision"])


def mark_as_sent(shown: Iterable[tuple[int, str, int]]) -> None:
    """Mark revisions as sent, given as (article ID, language, number) of the texts in a mailing."""
    for article_id, language, number in set(shown):
        found = _revisions().filter(article=article_id, language=language, number=number)
        found.filter(kind__in=("autosaved", "saved")).update(kind="sent")


def _set_slug(
    text: ArticleTranslation, stored: ArticleTranslation | None, *, at: datetime, keeps_slug: bool
) -> None:
    """Keep the slug of a public text, because emails that were sent link to it."""
    if stored is not None and stored.is_public(at):
        text.slug = stored.slug
    elif not text.slug and text.headline and not keeps_slug:
        text.slug = free_slug(text)


# The models import this module, so it looks this one up in Django's registry.
def _revisions() -> Any:
    return apps.get_model("editorial", "Revision").objects

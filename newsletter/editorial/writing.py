"""Save texts and facts so that nobody's words are overwritten or lost (I1).

Each form names the revision on top of which it was filled in. If the text has changed since, the
save changes nothing: the new text is kept aside as a revision, and its author chooses on a page
that shows both. Savers of one article wait for each other by locking the article's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.models import Article, ArticleTranslation, Revision, User
from newsletter.editorial.revisions import (
    FIELDS,
    content_of,
    mark_up_to_date,
    next_number,
    revisions_of,
)

NOTHING: dict[str, str] = {**dict.fromkeys(FIELDS, ""), "state": ArticleTranslation.State.DRAFT}
"""The content of a translation that doesn't exist."""


class RefusedError(Exception):
    """The text can't be saved in this way, and nothing was changed."""


class HeadlineMissingError(RefusedError):
    """A ready text needs a headline."""


class ReadyTextError(RefusedError):
    """This person may neither change a ready text nor make one ready."""


class SavedOnRequestOnlyError(RefusedError):
    """A ready text isn't saved while it is being typed: readers would see unfinished sentences."""


@dataclass(frozen=True)
class Saved:
    """`text` says what was to be saved; `is_new` is False if it did already."""

    text: ArticleTranslation
    is_new: bool


@dataclass(frozen=True)
class Conflict:
    """Somebody saved or removed the text in the meantime. Nothing was changed."""

    latest: Revision
    """The newest text, or the last one before the translation was removed."""
    kept: Revision
    """What was to be saved, kept aside."""


@transaction.atomic
def save_text(
    article: Article,
    language: str,
    content: Mapping[str, str],
    *,
    base: int,
    by: User,
    kind: Revision.Kind = Revision.Kind.SAVED,
    source: int | None = None,
    up_to_date: bool = False,
    may_publish: bool = True,
) -> Saved | Conflict:
    """Save what was typed on top of revision `base` (0 if there was no translation).

    `content` may leave out fields, which keep their text. `source` is the revision of the original
    that the author saw; with `up_to_date`, the translation matches it from now on. `may_publish`
    says whether the person may make texts ready, and change those that are. Raises
    SavedOnRequestOnlyError for an autosave of a ready text, HeadlineMissingError and
    ReadyTextError.
    """
    _lock(article)
    text = article.translations.filter(language=language).first()
    current = text.revision if text else 0
    wanted = _wanted(text, content)
    if text and kind == Revision.Kind.AUTOSAVED and text.state == text.State.READY:
        raise SavedOnRequestOnlyError
    becomes_ready = wanted["state"] == ArticleTranslation.State.READY
    if not may_publish and (becomes_ready or (text and text.is_ready)):
        raise ReadyTextError
    if becomes_ready and not wanted["headline"]:
        raise HeadlineMissingError
    if base != current and not (text and _says_nothing_new(text, wanted, base)):
        return _keep_aside(article, language, wanted, base=base, by=by)
    if text is None:
        text = ArticleTranslation(article=article, language=language, source_revision=source)
    before = text.revision if text.pk else 0
    if base == current:
        for name, value in wanted.items():
            setattr(text, name, value)
    text.save(by=by, kind=kind)
    if up_to_date:
        mark_up_to_date(text, source=source)
    if kind != Revision.Kind.AUTOSAVED:
        settle(article, language, by=by)
    return Saved(text, is_new=text.revision != before)


def _lock(article: Article) -> None:
    Article.objects.select_for_update().get(pk=article.pk)


def _wanted(text: ArticleTranslation | None, content: Mapping[str, str]) -> dict[str, str]:
    stored = content_of(text) if text else NOTHING
    wanted = {**stored, **{name: content[name] for name in FIELDS if name in content}}
    wanted["body"] = clean_html(wanted["body"])
    return wanted


def _says_nothing_new(text: ArticleTranslation, wanted: dict[str, str], base: int) -> bool:
    """Return whether the form has nothing new: a second click, or a page left as it was."""
    if _same(wanted, content_of(text)):
        return True
    opened = revisions_of(text.article_id, text.language).filter(number=base).first()
    return opened is not None and _same(wanted, opened.content)


def _same(mine: Mapping[str, str], other: Mapping[str, str]) -> bool:
    # The slug may have been made from the headline in the meantime.
    return all(
        mine[name] == other.get(name, "") or (name == "slug" and not mine[name]) for name in FIELDS
    )


@transaction.atomic
def keep_aside(
    article: Article, language: str, content: Mapping[str, str], *, base: int, by: User
) -> Revision:
    """Keep what was typed in the history, as its author may not save it. Nothing is changed."""
    _lock(article)
    wanted = _wanted(article.translations.filter(language=language).first(), content)
    return _keep_aside(article, language, wanted, base=base, by=by).kept


def _keep_aside(
    article: Article, language: str, content: dict[str, str], *, base: int, by: User
) -> Conflict:
    """Keep what was typed, in place of what the same person typed on the same page before."""
    rows = revisions_of(article, language)
    open_rows = rows.filter(kind=Revision.Kind.KEPT, author=by, is_open=True, base=base)
    kept = open_rows.first() or Revision(
        article=article,
        language=language,
        number=next_number(article.pk, language),
        kind=Revision.Kind.KEPT,
        author=by,
        base=base,
        is_open=True,
    )
    kept.content, kept.at = content, timezone.now()
    kept.save()
    latest = rows.exclude(kind=Revision.Kind.KEPT).first()
    # A text that was opened on a base has at least that revision.
    return Conflict(latest or kept, kept)


def settle(article: Article, language: str, *, by: User) -> None:
    """Record that the person has chosen what becomes of texts that were kept aside."""
    rows = revisions_of(article, language).filter(author=by, is_open=True)
    rows.update(is_open=False)


def open_text(article: Article, language: str, *, by: User) -> Revision | None:
    """Return the text that was kept aside for this person, if they still have to choose."""
    return revisions_of(article, language).filter(author=by, is_open=True).first()


@transaction.atomic
def remove_text(text: ArticleTranslation, *, base: int, by: User) -> bool:
    """Remove a translation; return False if it has changed since revision `base`.

    Its last text stays in the history, from which it can be restored.
    """
    _lock(text.article)
    current = ArticleTranslation.objects.filter(pk=text.pk, revision=base).first()
    if current is None:
        return False
    Revision.objects.create(
        article=text.article,
        language=text.language,
        number=next_number(text.article_id, text.language),
        kind=Revision.Kind.REMOVED,
        author=by,
        at=timezone.now(),
        content=content_of(current),
    )
    current.delete()
    return True


def restore(
    revision: Revision, *, base: int, by: User, may_publish: bool = True
) -> Saved | Conflict:
    """Save the words of an old revision as a new one, on top of revision `base`.

    State and slug stay as they are; a translation that was removed comes back as a draft. Raises
    as `save_text` does.
    """
    words = {name: revision.content.get(name, "") for name in FIELDS}
    del words["state"], words["slug"]
    return save_text(
        revision.article, revision.language, words, base=base, by=by, may_publish=may_publish
    )


@transaction.atomic
def save_facts(article: Article, *, version: int) -> bool:
    """Save an article's own fields; return False, unsaved, if they have changed since `version`."""
    _lock(article)
    if Article.objects.filter(pk=article.pk, version=version).exists():
        article.version = version
        article.save()
        return True
    return False

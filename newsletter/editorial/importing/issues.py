"""Store the issues and articles of a document that differ from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model
from django.utils.translation import gettext as _

from newsletter.editorial import approval, models, workflow
from newsletter.editorial.importing import schema
from newsletter.editorial.importing.additions import BATCH, Additions
from newsletter.editorial.importing.errors import Problem, collecting
from newsletter.editorial.importing.identity import StoredArticles
from newsletter.editorial.importing.pictures import ArticlePictures
from newsletter.editorial.importing.report import (
    ImportReport,
    save_if_changed,
    upsert,
    validate_fields,
)
from newsletter.editorial.importing.rich_text import clean_rich_text
from newsletter.editorial.revisions import mark_up_to_date


@dataclass(frozen=True)
class Target:
    """What the issues and articles of a document belong to."""

    newsletter: models.Newsletter
    topics: dict[str, models.Topic]
    report: ImportReport
    pictures: ArticlePictures
    additions: Additions
    known: StoredArticles
    left_out: frozenset[str]
    """Locations of articles that the document has twice."""
    to_approve: list[models.Issue] = field(default_factory=list)
    """Issues that the document calls approved."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.newsletter.timezone)


@dataclass(frozen=True)
class Stored:
    """An article, and its data at `location` in the document."""

    location: str
    data: schema.Article
    article: models.Article
    is_new: bool


def store_issue(
    data: schema.Issue, target: Target, problems: list[Problem], *, location: str
) -> list[Stored]:
    """Store an issue with its texts, trends and articles; return the articles.

    Adds the problems of its articles to `problems`, to report all together.
    """
    issue, is_new = _issue_row(data, target, location)
    for code, texts in data.texts.items():
        known_by, at = {"issue": issue, "language": code}, f"{location}.texts.{code}"
        values = texts.model_dump()
        values["introduction"] = clean_rich_text(
            texts.introduction, target.report, location=f"{at}.introduction"
        )
        upsert(models.IssueTranslation, target.report, known_by, values, location=at)
    for slug, status in data.all_trends().items():
        if workflow.set_issue_trend(issue, target.topics[slug], status):
            target.report.changed[str(models.Trend._meta.verbose_name)] += 1
    # The default publication time must be the same in each import.
    morning_after = datetime.combine(issue.ends_on + timedelta(1), time(9), target.zone)
    stored = []
    for index, article in enumerate(data.articles):
        if (at := f"{location}.articles[{index}]") in target.left_out:
            continue
        published = article.published_at or morning_after.astimezone(UTC)
        placed = {"issue": issue, "position": index + 1}
        with collecting(problems):
            stored.append(
                store_article(
                    article,
                    target,
                    published=published,
                    placed=placed,
                    makes_room=not is_new,
                    location=at,
                )
            )
    if data.approved:
        target.to_approve.append(issue)
    return stored


def approve(issues: Iterable[models.Issue], report: ImportReport) -> None:
    """Approve the issues as they are now that all their articles are stored."""
    for issue in models.Issue.objects.filter(pk__in=[issue.pk for issue in issues]).with_texts():
        if not approval.holds(issue):
            try:
                workflow.approve(issue, by=None)
            except workflow.OwnTextError as error:
                report.notes.append(
                    _("Not approved: %(issue)s. %(reason)s") % {"issue": issue, "reason": error}
                )
                continue
            report.notes.append(_("Approved: %(issue)s") % {"issue": issue})


def _issue_row(data: schema.Issue, target: Target, location: str) -> tuple[models.Issue, bool]:
    """Return the issue, and whether the import has added it."""
    special = models.Issue.Kind.SPECIAL
    issues = target.newsletter.issues
    values = {
        "kind": data.kind,
        "starts_on": data.starts_on,
        "ends_on": data.last_day,
        "slug": data.slug if data.kind == special else "",
    }
    if data.kind == special:
        row = issues.filter(kind=special, slug=data.slug).first()
    else:
        row = issues.exclude(kind=special).filter(starts_on=data.starts_on).first()
    is_new = row is None
    row = row or models.Issue(newsletter=target.newsletter)
    return save_if_changed(row, target.report, values, location=location), is_new


def store_article(
    data: schema.Article,
    target: Target,
    *,
    published: datetime,
    location: str,
    placed: dict[str, Any] | None = None,
    makes_room: bool = False,
) -> Stored:
    """Store an article; `placed` has its issue and its position there.

    An article outside an issue stays where the desk has put it. With `makes_room`, the issue may
    have another article at the position.
    """
    placed = placed or {}
    known = target.known.find(data, placed.get("issue"), location=location)
    values: dict[str, Any] = {
        "topic": target.topics.get(data.category or ""),
        "original_language": data.original_language,
        "dateline": data.dateline,
        "published_at": published if published.tzinfo else published.replace(tzinfo=target.zone),
        "picture": _picture(data, known, target, location),
        **placed,
    }
    kind, credit = _credit(data)
    # The credit of a picture that isn't in the document belongs to the article itself.
    values |= {"credit_kind": kind, "credit": "" if values["picture"] else credit}
    if data.id is not None:
        values["external_id"] = data.id
    row = known or models.Article(newsletter=target.newsletter)
    is_waiting = known is None and not makes_room
    if not is_waiting:
        target.additions.flush()  # its picture may be one that waits
    article = save_if_changed(
        row,
        target.report,
        values,
        location=location,
        validate=validate_fields,
        save=target.additions.add if is_waiting else None,
    )
    for code in sorted(data.translations, key=lambda code: code != data.original_language):
        text = known.texts().get(code) if known else None
        text = text or models.ArticleTranslation(article=article, language=code)
        _store_text(
            text,
            data,
            target,
            location=f"{location}.translations.{code}",
            save=target.additions.add if is_waiting else None,
        )
    target.additions.flush_if_many()
    return Stored(location, data, article, is_new=known is None)


def _store_text(
    row: models.ArticleTranslation,
    data: schema.Article,
    target: Target,
    *,
    location: str,
    save: Callable[[Model], None] | None,
) -> None:
    code, report = row.language, target.report
    text = data.translations[code]
    values = text.model_dump(exclude={"slug"})
    values["body"] = clean_rich_text(text.body, report, location=f"{location}.body")
    values["authors"] = data.authors.get(code, "") if text.authors is None else text.authors
    values["alt_text"] = data.image.alt.get(code, "") if data.image else ""
    if not row.slug:
        values["slug"] = target.known.new_slug(text, code, location=location)
    elif text.slug and text.slug != row.slug:
        kept = _("the slug: the article keeps “%(slug)s”, so that its URL stays the same")
        report.dropped(f"{location}.slug", kept % {"slug": row.slug})
    before = row.revision if row.pk else 0
    save_if_changed(row, report, values, location=location, validate=validate_fields, save=save)
    if before and row.revision != before:
        mark_up_to_date(row)  # a document holds texts that belong together


def _picture(
    data: schema.Article, known: models.Article | None, target: Target, location: str
) -> models.Picture | None:
    if data.image is None:
        return None
    if not data.image.file:
        reason = _("the picture, because no file is named; its credit is kept")
        target.report.dropped(f"{location}.image", reason)
        return None
    kind, credit = _credit(data)
    current = known.picture if known else None
    return target.pictures.row(
        data.image.file, kind=kind, credit=credit, current=current, location=location
    )


def _credit(data: schema.Article) -> tuple[str, str]:
    """Return the kind and the name of the picture's credit."""
    image = data.image or schema.Image()
    return image.kind, data.image_credit if image.credit is None else image.credit


def link_similar(stored: list[Stored], newsletter: models.Newsletter) -> Iterator[Problem]:
    """Link similar articles, named by slug, once all articles are stored.

    Yields a problem for each slug that no article has.
    """
    wanted = {slug for each in stored for slug in each.data.similar}
    texts = models.ArticleTranslation.objects.filter(article__newsletter=newsletter)
    rows = texts.order_by("-pk").values_list("slug", "article_id") if wanted else []
    by_slug = {slug: article for slug, article in rows if slug in wanted}
    link = models.Article.similar.through
    links = []
    for each in stored:
        for index, slug in enumerate(each.data.similar):
            if slug not in by_slug:
                reason = _("is not the slug of an article. Correct it or remove it.")
                yield Problem(f"{each.location}.similar[{index}]", reason)
        ids = {by_slug[slug] for slug in each.data.similar if slug in by_slug}
        if each.is_new:
            links += [link(from_article_id=each.article.pk, to_article_id=pk) for pk in sorted(ids)]
        elif ids and ids != {article.pk for article in each.article.similar.all()}:
            each.article.similar.set(ids)
    link._default_manager.bulk_create(links, batch_size=BATCH)

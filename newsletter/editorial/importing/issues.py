"""Store the issues and articles of a document that differ from the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from newsletter.editorial import models, workflow
from newsletter.editorial.importing import schema
from newsletter.editorial.importing.errors import Problem
from newsletter.editorial.importing.files import stored_picture
from newsletter.editorial.importing.report import ImportReport, save_if_changed, upsert
from newsletter.editorial.revisions import mark_up_to_date


@dataclass(frozen=True)
class Target:
    """What the issues and articles of a document belong to."""

    newsletter: models.Newsletter
    topics: dict[str, models.Topic]
    report: ImportReport
    base: Path

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.newsletter.timezone)


@dataclass(frozen=True)
class Stored:
    """An article, and its data at `location` in the document."""

    location: str
    data: schema.Article
    article: models.Article


def store_issue(data: schema.Issue, target: Target, *, location: str) -> list[Stored]:
    """Store an issue with its texts, trends and articles; return the articles."""
    issue = _issue_row(data, target, location)
    for code, texts in data.texts.items():
        known_by = {"issue": issue, "language": code}
        upsert(
            models.IssueTranslation, target.report, known_by, texts.model_dump(), location=location
        )
    for slug, status in data.all_trends().items():
        if workflow.set_issue_trend(issue, target.topics[slug], status):
            target.report.changed[str(models.Trend._meta.verbose_name)] += 1
    # The default publication time must be the same in each import.
    morning_after = datetime.combine(issue.ends_on + timedelta(1), time(9), target.zone)
    stored = [
        store_article(
            article,
            target,
            published=article.published_at or morning_after.astimezone(UTC),
            issue=issue,
            position=index + 1,
            location=f"{location}.articles[{index}]",
        )
        for index, article in enumerate(data.articles)
    ]
    if data.approved and not issue.is_approved:
        workflow.approve(issue, by=None)
        target.report.notes.append(_("Approved: %(issue)s") % {"issue": issue})
    return stored


def _issue_row(data: schema.Issue, target: Target, location: str) -> models.Issue:
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
    row = row or models.Issue(newsletter=target.newsletter)
    return save_if_changed(row, target.report, values, location=location)


def store_article(
    data: schema.Article,
    target: Target,
    *,
    published: datetime,
    location: str,
    issue: models.Issue | None = None,
    position: int = 0,
) -> Stored:
    known = _find_article(data, target.newsletter, issue)
    values: dict[str, Any] = {
        "topic": target.topics.get(data.category or ""),
        "position": position,
        "original_language": data.original_language,
        "dateline": data.dateline,
        "published_at": published if published.tzinfo else published.replace(tzinfo=target.zone),
        "picture": _picture(data, known, target, location),
    }
    row = known or models.Article(newsletter=target.newsletter, issue=issue)
    article = save_if_changed(row, target.report, values, location=location)
    for code in sorted(data.translations, key=lambda code: code != data.original_language):
        _store_text(article, code, data, target.report, f"{location}.translations.{code}")
    return Stored(location, data, article)


def _find_article(
    data: schema.Article, newsletter: models.Newsletter, issue: models.Issue | None
) -> models.Article | None:
    """Return the issue's article whose slug is that of the headline.

    The slug stays when a headline is edited, and ends with a number if another week has the same
    headline.
    """
    texts = models.ArticleTranslation.objects.filter(
        article__newsletter=newsletter,
        article__issue=issue,
        language=data.original_language,
        slug__startswith=data.key,
    ).select_related("article")
    pattern = re.compile(rf"{re.escape(data.key)}(-\d+)?")
    matching = [text for text in texts if pattern.fullmatch(text.slug)]
    return min(matching, key=lambda text: len(text.slug)).article if matching else None


def _store_text(
    article: models.Article, code: str, data: schema.Article, report: ImportReport, location: str
) -> None:
    text = data.translations[code]
    known = article.translations.filter(language=code).first()
    row = known or models.ArticleTranslation(article=article, language=code)
    values = text.model_dump(exclude={"slug"})
    values["authors"] = data.authors.get(code, "") if text.authors is None else text.authors
    values["alt_text"] = data.image.alt.get(code, "") if data.image else ""
    # An existing slug is kept. If the document gives none, the model makes one when it is saved.
    if known is None and text.slug:
        values["slug"] = text.slug
    before = row.revision if known else 0
    save_if_changed(row, report, values, location=location)
    if known and row.revision != before:
        mark_up_to_date(row)  # a document holds texts that belong together


def _picture(
    data: schema.Article, known: models.Article | None, target: Target, location: str
) -> models.Picture | None:
    image = data.image or (schema.Image() if data.image_credit else None)
    if image is None:
        return None
    name = stored_picture(image.file, base=target.base) if image.file else ""
    credit = data.image_credit if image.credit is None else image.credit
    values = {"file": name, "kind": image.kind, "credit": credit}
    current = known.picture if known else None
    if current and all(str(getattr(current, key)) == value for key, value in values.items()):
        return current
    same = models.Picture.objects.filter(**values).first() if name else None
    return same or save_if_changed(models.Picture(), target.report, values, location=location)


def link_similar(stored: list[Stored], newsletter: models.Newsletter) -> Iterator[Problem]:
    """Link similar articles, named by slug, once all articles are stored.

    Yields a problem for each slug that no article has.
    """
    for each in stored:
        picks = []
        for index, slug in enumerate(each.data.similar):
            article = newsletter.articles.filter(translations__slug=slug).first()
            if article is None:
                reason = _("is not the slug of an article. Correct it or remove it.")
                yield Problem(f"{each.location}.similar[{index}]", reason)
            else:
                picks.append(article)
        ids = {pick.pk for pick in picks}
        if ids and ids != set(each.article.similar.values_list("pk", flat=True)):
            each.article.similar.set(picks)

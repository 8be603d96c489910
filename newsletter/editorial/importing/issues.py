"""Issues and articles of a document, written where they differ from what is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from newsletter.editorial import models, workflow
from newsletter.editorial.importing.document import ArticleData, ImageData, IssueData, TextData
from newsletter.editorial.importing.faults import Node
from newsletter.editorial.importing.files import stored_picture
from newsletter.editorial.importing.report import ImportReport, check, put, write

Topics = dict[str, models.Topic]
Stored = list[tuple[ArticleData, models.Article]]


def store_issue(
    data: IssueData, newsletter: models.Newsletter, topics: Topics, report: ImportReport,
    *, base: Path,
) -> Stored:  # fmt: skip
    place = Node(None, data.place)
    is_special = data.kind == models.Issue.Kind.SPECIAL
    name = {"slug": data.slug} if is_special else {"starts_on": data.starts_on}
    issues = newsletter.issues.filter(**name)
    special = models.Issue.Kind.SPECIAL
    issue = (issues.filter(kind=special) if is_special else issues.exclude(kind=special)).first()
    values = {"kind": data.kind, "starts_on": data.starts_on, "ends_on": data.ends_on,
              "slug": data.slug}  # fmt: skip
    issue = write(issue or models.Issue(newsletter=newsletter), report, values, place=place)
    for code, texts in data.texts.items():
        known_by = {"issue": issue, "language": code}
        put(models.IssueTranslation, report, known_by, dict(texts), place=place)
    for slug, status in data.trends.items():
        if workflow.set_trend_of_issue(issue, topics[slug], status):
            report.changed[str(models.Trend._meta.verbose_name)] += 1
    stored = [
        (article, store_article(article, newsletter, issue, number, topics, report, base=base))
        for number, article in enumerate(data.articles, start=1)
    ]
    if data.approved and not issue.is_approved:
        workflow.approve(issue, by=None)
        report.notes.append(_("Approved: %(issue)s") % {"issue": issue})
    return stored


def store_article(
    data: ArticleData, newsletter: models.Newsletter, issue: models.Issue | None, position: int,
    topics: Topics, report: ImportReport, *, base: Path,
) -> models.Article:  # fmt: skip
    place = Node(None, data.place)
    known = _known(data, newsletter, issue)
    values: dict[str, Any] = {
        "topic": topics.get(data.category),
        "position": position,
        "original_language": data.original_language,
        "dateline": data.dateline,
        "published_at": data.published_at,
        "picture": _picture(data.image, known, report, place, base=base),
    }
    article = known or models.Article(newsletter=newsletter, issue=issue)
    article = write(article, report, values, place=place)
    first_original = sorted(data.texts, key=lambda code: code != data.original_language)
    for code in first_original:
        _store_text(article, code, data.texts[code], report, Node(None, data.place))
    return article


def _known(
    data: ArticleData, newsletter: models.Newsletter, issue: models.Issue | None
) -> models.Article | None:
    """The article of that issue whose address is the headline's: it stays when a headline is
    edited, and may have a number behind where other weeks have the same headline."""
    texts = models.ArticleTranslation.objects.filter(
        article__newsletter=newsletter,
        article__issue=issue,
        language=data.original_language,
        slug__startswith=data.key,
    ).select_related("article")
    pattern = re.compile(rf"{re.escape(data.key)}(-\d+)?")
    fitting = sorted((text for text in texts if pattern.fullmatch(text.slug)),
                     key=lambda text: len(text.slug))  # fmt: skip
    return fitting[0].article if fitting else None


def _store_text(
    article: models.Article, code: str, data: TextData, report: ImportReport, place: Node
) -> None:
    place = Node(None, f"{place.place}.translations.{code}")
    text = article.translations.filter(language=code).first()
    row = text or models.ArticleTranslation(article=article, language=code)
    names = ("headline", "lead", "body", "authors", "state", "correction", "picture_text")
    values = {name: getattr(data, name) for name in names}
    if text is None and data.wants_slug:
        values["slug"] = data.slug
    if text is None:
        row.slug = ""
        check(_with(row, values), place)
    write(row, report, values, place=place)


def _with(row: models.ArticleTranslation, values: dict[str, Any]) -> models.ArticleTranslation:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _picture(
    data: ImageData | None, known: models.Article | None, report: ImportReport, place: Node,
    *, base: Path,
) -> models.Picture | None:  # fmt: skip
    if data is None:
        return None
    name = stored_picture(data.file, base=base) if data.file else ""
    values = {"file": name, "kind": data.kind, "credit": data.credit}
    mine = known.picture if known else None
    if mine and all(str(getattr(mine, key)) == value for key, value in values.items()):
        return mine
    same = models.Picture.objects.filter(**values).first() if name else None
    return same or write(models.Picture(), report, values, place=place)


def link_similar(stored: Stored, newsletter: models.Newsletter) -> None:
    """Once all articles are there: the editors' picks, named by the slugs of headlines."""
    for data, article in stored:
        if not data.similar:
            continue
        picks = [_by_slug(Node(None, where), slug, newsletter) for where, slug in data.similar]
        if {pick.pk for pick in picks} != set(article.similar.values_list("pk", flat=True)):
            article.similar.set(picks)


def _by_slug(place: Node, slug: str, newsletter: models.Newsletter) -> models.Article:
    articles = newsletter.articles.filter(translations__slug=slug)
    if (article := articles.first()) is None:
        raise place.fault(_("There is no article of this short name."))
    return article

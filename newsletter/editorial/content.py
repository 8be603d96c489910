"""From the models to the digest's values: what a mail is made of. A constant number of queries."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import cast

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.db.models.fields.files import ImageFieldFile
from django.urls import reverse
from django.utils import translation

from newsletter.digest import content
from newsletter.editorial import models
from newsletter.editorial.pictures import media_type
from newsletter.editorial.schedule import Month
from newsletter.lib.languages import page_language

READY = models.ArticleTranslation.State.READY


def newsletter_content(newsletter: models.Newsletter) -> content.Newsletter:
    """The newsletter's looks and wording; a language without words of its own takes the first's."""
    room = models.Newsroom.objects.prefetch_related("translations").first()
    names = {text.language: text.name for text in room.translations.all()} if room else {}
    own = {text.language: text for text in newsletter.translations.all()}
    languages = tuple(newsletter.languages)
    return content.Newsletter(
        slug=newsletter.slug,
        languages=languages,
        letterheads={
            code: _letterhead(newsletter, room, names=names, own=own, code=code)
            for code in languages
        },
        site_url=settings.SITE_URL,
        accent=room.accent if room else "#8a1c1c",
        logo=_picture_file(room.logo) if room and room.logo else None,
    )


def _letterhead(
    newsletter: models.Newsletter,
    room: models.Newsroom | None,
    *,
    names: dict[str, str],
    own: dict[str, models.NewsletterTranslation],
    code: str,
) -> content.Letterhead:
    text = own.get(code) or next(iter(own.values()), None)
    name = text.name if text else newsletter.slug
    return content.Letterhead(
        newsroom=names.get(code) or next(iter(names.values()), name),
        newsletter=name,
        sender_name=(text.sender_name if text else "") or name,
        footer=own[code].footer if code in own else "",
        postal_address=room.postal_address if room else "",
    )


def issue_content(issue: models.Issue, *, at: datetime) -> content.Issue:
    """What of the issue is public at that moment: ready texts, in the editors' order."""
    return content.Issue(
        starts_on=issue.starts_on,
        ends_on=issue.ends_on,
        articles=tuple(_public_articles(issue, at)),
        texts={
            text.language: content.IssueText(text.subject, text.preheader, text.introduction)
            for text in issue.translations.all()
        },
        urls={
            code: issue_url(issue, code)
            for code in {*issue.newsletter.languages, *dict(settings.LANGUAGES)}
        },
    )


def issues_of(newsletter: models.Newsletter, month: Month) -> QuerySet[models.Issue]:
    """The approved issues of a month, special ones among them, the newest first."""
    return newsletter.issues.filter(
        state=models.Issue.State.APPROVED,
        starts_on__gte=month.begins,
        starts_on__lt=month.next.begins,
    ).exclude(kind=models.Issue.Kind.BREAK)


def round_up_content(
    month: Month, issues: Iterable[models.Issue], *, at: datetime
) -> content.Issue:
    """What of these issues is public at that moment, each article with its week."""
    days = monthrange(month.year, month.month)[1]
    return content.Issue(
        starts_on=date(month.year, month.month, 1),
        ends_on=date(month.year, month.month, days),
        articles=tuple(
            replace(article, week=(issue.starts_on, issue.ends_on))
            for issue in issues
            for article in _public_articles(issue, at)
        ),
        period="month",
    )


def _public_articles(issue: models.Issue, at: datetime) -> Iterator[content.Article]:
    statuses = _statuses(issue)
    for article in articles_of(issue).filter(published_at__lte=at):
        if article.translations.all():
            yield _article(article, statuses)


def articles_of(issue: models.Issue) -> QuerySet[models.Article]:
    """The issue's articles with all that a mail shows of them, only ready texts among it."""
    ready = models.ArticleTranslation.objects.filter(state=READY).order_by("pk")
    return issue.articles.select_related("topic", "picture").prefetch_related(
        Prefetch("translations", queryset=ready), "topic__translations"
    )


def issue_url(issue: models.Issue, language: str) -> str:
    """The issue's page, absolute, in the language, or in the site's own where it has no such."""
    with translation.override(page_language(language)):
        return settings.SITE_URL + reverse(
            "web:issue", settings.PUBLIC_URLCONF, args=[issue.newsletter.slug, issue.key]
        )


def _statuses(issue: models.Issue) -> dict[int, content.Status]:
    if issue.kind == models.Issue.Kind.SPECIAL:
        return {}
    trends = models.Trend.objects.filter(
        topic__newsletter=issue.newsletter_id, week=issue.starts_on
    )
    return {trend.topic_id: cast(content.Status, trend.status) for trend in trends}


def _article(article: models.Article, statuses: dict[int, content.Status]) -> content.Article:
    return content.Article(
        id=article.pk,
        texts=_texts(article.translations.all(), original=article.original_language),
        topic=_topic(article.topic) if article.topic else None,
        status=statuses.get(article.topic_id or 0),
        picture=_picture(article.picture) if article.picture else None,
        published_at=article.published_at,
    )


def _texts(
    translations: Iterable[models.ArticleTranslation], *, original: str
) -> dict[str, content.ArticleText]:
    """By language, the original first: that is the one named where a reader's is missing."""
    return {
        text.language: content.ArticleText(
            headline=text.headline,
            lead=text.lead,
            body=text.body,
            url=settings.SITE_URL + text.get_absolute_url(),
            authors=text.authors,
            picture_text=text.picture_text,
        )
        for text in sorted(translations, key=lambda text: text.language != original)
    }


def _topic(topic: models.Topic) -> content.Topic:
    return content.Topic(topic.pk, {text.language: text.name for text in topic.translations.all()})


def _picture(picture: models.Picture) -> content.Picture:
    credit = content.Credit(picture.kind, picture.credit) if picture.credit else None  # type: ignore[arg-type]
    if not picture.file:
        return content.Picture(name="", url="", width=0, height=0, type="", credit=credit)
    return content.Picture(
        name=str(picture.file.name),
        url=settings.SITE_URL + picture.file.url,
        width=picture.width or 0,
        height=picture.height or 0,
        type=media_type(str(picture.file.name)),
        credit=credit,
    )


def _picture_file(file: ImageFieldFile) -> content.Picture:
    return content.Picture(
        name=str(file.name),
        url=settings.SITE_URL + file.url,
        width=file.width,
        height=file.height,
        type=media_type(str(file.name)),
    )

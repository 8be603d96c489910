"""Convert models to the digest's values, in a constant number of queries."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import cast

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.db.models.fields.files import ImageFieldFile
from django.urls import reverse
from django.utils import translation

from newsletter.digest import content
from newsletter.editorial import models
from newsletter.editorial.missing_copies import add_copies
from newsletter.editorial.pictures import Copy, media_type
from newsletter.editorial.schedule import Month
from newsletter.editorial.text_pictures import pictures_in
from newsletter.lib.languages import page_language


def newsletter_content(newsletter: models.Newsletter) -> content.Newsletter:
    """Return the newsletter with its branding in each of its languages."""
    room = models.Newsroom.objects.prefetch_related("translations").first()
    prefetch_related_objects([newsletter], "translations")
    languages = tuple(newsletter.languages)
    return content.Newsletter(
        slug=newsletter.slug,
        languages=languages,
        branding_by_language={code: _branding(newsletter, room, code) for code in languages},
        site_url=settings.SITE_URL,
        accent=room.accent if room else "#8a1c1c",
        logo=_picture_file(cast(ImageFieldFile, room.logo)) if room and room.logo else None,
    )


def _branding(
    newsletter: models.Newsletter, room: models.Newsroom | None, code: str
) -> content.Branding:
    """Return the branding in one language. Missing texts come from the next in its chain."""
    name = newsletter.name_in(code)
    text = newsletter.text([code])
    newsroom_text = room.any_text(newsletter.chain_for(code)) if room else None
    return content.Branding(
        newsroom=newsroom_text.name if newsroom_text else name,
        newsletter=name,
        sender_name=newsletter.sender_name_in(code),
        footer=text.footer if text else "",
        postal_address=room.postal_address if room else "",
    )


def issue_content(issue: models.Issue, *, at: datetime, make_copies: bool = True) -> content.Issue:
    """Return what is public of the issue at that moment, in the editors' order.

    Pictures come as their copies for emails, which are made if they are missing, unless
    `make_copies` is False.
    """
    statuses = models.Trend.objects.for_issue(issue)
    articles = list(issue.articles.public(at).with_parts())
    issue_texts = issue.texts()
    copies = _email_copies(articles, issue_texts.values(), make=make_copies)
    return content.Issue(
        starts_on=issue.starts_on,
        ends_on=issue.ends_on,
        articles=tuple(
            _article(article, statuses, copies, make_copies=make_copies) for article in articles
        ),
        texts={
            code: content.IssueText(text.subject, text.preheader, text.introduction, copies)
            for code, text in issue_texts.items()
        },
        urls={
            code: issue_url(issue, code)
            for code in {*issue.newsletter.languages, *dict(settings.LANGUAGES)}
        },
    )


def round_up_content(
    month: Month, issues: Iterable[models.Issue], *, at: datetime
) -> content.Issue:
    """Return what is public of a month's issues at that moment, each article with its week."""
    days = monthrange(month.year, month.month)[1]
    issues = list(issues)
    trends = models.Trend.objects.for_issues(issues)
    return content.Issue(
        starts_on=date(month.year, month.month, 1),
        ends_on=date(month.year, month.month, days),
        articles=tuple(
            replace(article, week=(issue.starts_on, issue.ends_on))
            for issue in issues
            for article in _public_articles(issue, at, trends.get(issue.pk, {}))
        ),
        period="month",
    )


def _public_articles(
    issue: models.Issue, at: datetime, statuses: Mapping[int, str]
) -> Iterator[content.Article]:
    for article in issue.articles.public(at).with_parts():
        yield _article(article, statuses, copies={})  # a round-up shows no pictures


def _email_copies(
    articles: Iterable[models.Article],
    issue_texts: Iterable[models.IssueTranslation],
    *,
    make: bool,
) -> dict[str, content.ImageFile]:
    """Return the copies for emails of all pictures inside the texts, made if they are missing."""
    texts = [text.body for article in articles for text in article.texts().values()]
    texts += [text.introduction for text in issue_texts]
    pictures = pictures_in(texts)
    if make:
        for picture in pictures.values():
            add_copies(picture)
    return {name: _image_file(picture.email_copy) for name, picture in pictures.items()}


def _image_file(copy: Copy) -> content.ImageFile:
    return content.ImageFile(copy.name, copy.width, copy.height)


def issue_url(issue: models.Issue, language: str) -> str:
    """Return the absolute URL of the issue's page, in the site's default language if need be."""
    with translation.override(page_language(language)):
        return settings.SITE_URL + reverse(
            "web:issue", settings.PUBLIC_URLCONF, args=[issue.newsletter.slug, issue.key]
        )


def _article(
    article: models.Article,
    statuses: Mapping[int, str],
    copies: Mapping[str, content.ImageFile],
    *,
    make_copies: bool = True,
) -> content.Article:
    return content.Article(
        id=article.pk,
        texts=_texts(article, copies),
        topic=_topic(article.topic) if article.topic else None,
        status=cast(content.Status | None, statuses.get(article.topic_id or 0)),
        picture=_picture(article, make_copies=make_copies),
        published_at=article.published_at,
    )


def _texts(
    article: models.Article, copies: Mapping[str, content.ImageFile]
) -> dict[str, content.ArticleText]:
    """Return the texts by language, the original first: it is listed for readers of others."""
    texts = article.texts().items()
    ordered = sorted(texts, key=lambda item: item[0] != article.original_language)
    return {code: _text(text, copies) for code, text in ordered}


def _text(
    text: models.ArticleTranslation, copies: Mapping[str, content.ImageFile]
) -> content.ArticleText:
    return content.ArticleText(
        headline=text.headline,
        lead=text.lead,
        body=text.body,
        url=settings.SITE_URL + text.get_absolute_url(),
        authors=text.authors,
        alt_text=text.alt_text,
        revision=text.revision,
        pictures=copies,
    )


def _topic(topic: models.Topic) -> content.Topic:
    return content.Topic(topic.pk, {code: text.name for code, text in topic.texts().items()})


def _picture(article: models.Article, *, make_copies: bool) -> content.Picture | None:
    """Return the copy of the article's picture that emails contain, or a credit alone."""
    picture = article.picture
    if picture is None:
        if not article.credit:
            return None
        alone = content.Credit(article.credit_kind, article.credit)  # type: ignore[arg-type]
        return content.Picture(name="", url="", width=0, height=0, type="", credit=alone)
    if make_copies:
        add_copies(picture)
    copy = picture.email_copy
    return content.Picture(
        name=copy.name,
        url=settings.SITE_URL + copy.url,
        width=copy.width,
        height=copy.height,
        type=media_type(copy.name),
        credit=content.Credit(picture.kind, picture.credit) if picture.credit else None,  # type: ignore[arg-type]
        source=str(picture.file.name),
    )


def _picture_file(file: ImageFieldFile) -> content.Picture:
    return content.Picture(
        name=str(file.name),
        url=settings.SITE_URL + file.url,
        width=file.width,
        height=file.height,
        type=media_type(str(file.name)),
    )

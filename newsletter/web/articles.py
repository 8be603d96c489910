"""View models of articles: the language shown and the dateline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from newsletter.digest.content import Credit
from newsletter.digest.dates import date_and_time, week_range
from newsletter.digest.labels import credit_line, language_label
from newsletter.digest.rich_text.structure import canonical
from newsletter.digest.rich_text.text import plain_words
from newsletter.digest.topics import names_topic
from newsletter.editorial.models import Article, ArticleTranslation, Picture
from newsletter.lib.languages import direction
from newsletter.web.rich_text import page_html
from newsletter.web.trends import Statuses, article_status, load_statuses, status_label

KINDS: dict[str, Literal["photo", "image", "graphic"]] = {
    Picture.Kind.PHOTO: "photo",
    Picture.Kind.IMAGE: "image",
    Picture.Kind.GRAPHIC: "graphic",
}


def dateline_kind(article: Article, status: str) -> Literal["week", "moment"]:
    """Return the kind of the article's dateline: its issue's week, or its time of publication."""
    if article.issue is None or article.dateline == Article.Dateline.MOMENT:
        return "moment"
    if article.dateline == Article.Dateline.WEEK:
        return "week"
    return "week" if status else "moment"


@dataclass(frozen=True)
class ArticleView:
    """An article in the language in which a page shows it."""

    article: Article
    text: ArticleTranslation
    page_language: str
    dateline: str
    machine_date: str
    """The dateline in ISO 8601, for HTML's `datetime` attribute."""
    by_week: bool
    status: str
    topic: str

    @property
    def url(self) -> str:
        return reverse("web:article", kwargs={"slug": self.text.slug})

    @property
    def is_fallback(self) -> bool:
        return bool(self.text.language != self.page_language)

    @property
    def language_label(self) -> str:
        return language_label(self.text.language, self.page_language)

    @property
    def direction(self) -> str:
        return direction(self.text.language)

    @property
    def picture(self) -> Picture | None:
        return self.article.picture

    @property
    def body(self) -> str:
        """The text as HTML for the article's own page."""
        return page_html(self.text.body, language=self.text.language)

    @property
    def excerpt(self) -> str:
        """Plain text to shorten in lists: the lead, or the body if there is no lead."""
        return self.text.lead or plain_text(self.text.body)

    @property
    def credit(self) -> str:
        """Return "Photo: name", labelled in the page's language; "" without a credit.

        Imported articles may have a credit but no picture.
        """
        picture = self.article.picture
        kind, name = (
            (picture.kind, picture.credit)
            if picture
            else (self.article.credit_kind, self.article.credit)
        )
        return credit_line(Credit(KINDS[kind], name), self.page_language) if name else ""

    @property
    def status_label(self) -> str:
        return status_label(self.status)

    @property
    def topic_slug(self) -> str:
        return self.article.topic.slug if self.article.topic else ""

    @property
    def shows_topic(self) -> bool:
        """Whether to name the topic: not if the headline already starts with it."""
        return bool(self.topic and not names_topic(self.text.headline, self.topic))

    @property
    def is_public(self) -> bool:
        return self.text.is_public(timezone.now())


def plain_text(html: str) -> str:
    """Return what the HTML says on one line, without footnotes' numbers and pictures."""
    return plain_words(canonical(html))


def article_views(articles: Sequence[Article], language: str, *, at: datetime) -> list[ArticleView]:
    """Return view models for a page in `language`, skipping articles without a text. One query."""
    known = load_statuses(articles)
    views = (_view_in_best_language(article, language, known, at=at) for article in articles)
    return [view for view in views if view]


def _view_in_best_language(
    article: Article, language: str, known: Statuses, *, at: datetime
) -> ArticleView | None:
    text = article.any_text(article.newsletter.chain_for(language))
    return article_view(article, text, language, known, at=at) if text else None


def article_view(
    article: Article, text: ArticleTranslation, language: str, known: Statuses, *, at: datetime
) -> ArticleView:
    """Return the view model of the article with the given text, on a page in `language`."""
    status = article_status(article, known)
    zone = ZoneInfo(article.newsletter.timezone)
    local = article.published_at.astimezone(zone)
    by_week = dateline_kind(article, status) == "week"
    if by_week and article.issue:
        issue = article.issue
        today = article.newsletter.local_date(at)
        dateline = week_range(issue.starts_on, issue.ends_on, language, today=today)
        machine_date = issue.starts_on.isoformat()
    else:
        dateline, machine_date = date_and_time(local, language), local.isoformat(timespec="minutes")
    return ArticleView(
        article=article,
        text=text,
        page_language=language,
        dateline=dateline,
        machine_date=machine_date,
        by_week=by_week,
        status=status,
        topic=article.topic.name_in(article.newsletter.chain_for(language))
        if article.topic
        else "",
    )


def corrected_on(text: ArticleTranslation, article: Article, language: str) -> str:
    """Return the correction's date and time in the newsletter's zone; "" without a correction."""
    if not (text.correction and text.corrected_at):
        return ""
    return date_and_time(
        text.corrected_at.astimezone(ZoneInfo(article.newsletter.timezone)), language
    )

"""Articles as pages show them: in which language, and under which date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Literal
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from newsletter.digest.content import Credit
from newsletter.digest.dates import date_and_time, week_range
from newsletter.digest.labels import credit_line, language_label
from newsletter.digest.topics import names_topic
from newsletter.editorial.models import Article, ArticleTranslation, Picture
from newsletter.lib.languages import direction
from newsletter.web.trends import Statuses, status_label, status_of, statuses

KINDS: dict[str, Literal["photo", "image", "graphic"]] = {
    Picture.Kind.PHOTO: "photo",
    Picture.Kind.IMAGE: "image",
    Picture.Kind.GRAPHIC: "graphic",
}


_BLOCK_ENDS = re.compile(r"(?=</(?:p|h[1-6]|li|blockquote|t[dh]|div)>|<br)")


def dated_by(article: Article, status: str) -> Literal["week", "moment"]:
    """Which of the two kinds of dateline the article has."""
    if article.issue is None or article.dateline == Article.Dateline.MOMENT:
        return "moment"
    if article.dateline == Article.Dateline.WEEK:
        return "week"
    return "week" if status else "moment"


# --- An article on a page ---------------------------------------------------------------------
@dataclass(frozen=True)
class ArticleView:
    """An article in the language in which a page shows it."""

    article: Article
    text: ArticleTranslation
    page_language: str
    dateline: str
    stamp: str
    """The dateline for machines (HTML's `datetime`)."""
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
        picture = self.article.picture
        return picture if picture and picture.file else None

    @property
    def beginning(self) -> str:
        """Plain text: the lead, else the first paragraphs of the text."""
        return self.text.lead or plain(self.text.body)

    @property
    def credit(self) -> str:
        """ "Photo: name": the label is in the page's language, whatever the article's. A credit
        may be known where the file is not."""
        picture = self.article.picture
        if not (picture and picture.credit):
            return ""
        return credit_line(Credit(KINDS[picture.kind], picture.credit), self.page_language)

    @property
    def status_label(self) -> str:
        return status_label(self.status)

    @property
    def topic_slug(self) -> str:
        return self.article.topic.slug if self.article.topic else ""

    @property
    def shows_topic(self) -> bool:
        """Whether the topic is named: not twice where the headline begins with it."""
        return bool(self.topic and not names_topic(self.text.headline, self.topic))

    @property
    def is_public(self) -> bool:
        return self.text.is_public(timezone.now())


def plain(html: str) -> str:
    """Clean HTML without its tags; what stood in two paragraphs stays apart."""
    return " ".join(unescape(strip_tags(_BLOCK_ENDS.sub(" ", html))).split())


def article_view(articles: Sequence[Article], language: str, *, at: datetime) -> list[ArticleView]:
    """The articles as a page in `language` shows them: one query more than it took to load."""
    known = statuses(articles)
    found = (_article_view(article, language, known, at=at) for article in articles)
    return [each for each in found if each]


def _article_view(
    article: Article, language: str, known: Statuses, *, at: datetime
) -> ArticleView | None:
    text = article.any_text(article.newsletter.chain_for(language))
    return in_text(article, text, language, known, at=at) if text else None


def in_text(
    article: Article, text: ArticleTranslation, language: str, known: Statuses, *, at: datetime
) -> ArticleView:
    """The article in one certain language on a page in `language`."""
    status = status_of(article, known)
    zone = ZoneInfo(article.newsletter.timezone)
    local = article.published_at.astimezone(zone)
    by_week = dated_by(article, status) == "week"
    if by_week and article.issue:
        issue = article.issue
        today = article.newsletter.local_date(at)
        dateline = week_range(issue.starts_on, issue.ends_on, language, today=today)
        stamp = issue.starts_on.isoformat()
    else:
        dateline, stamp = date_and_time(local, language), local.isoformat(timespec="minutes")
    return ArticleView(
        article=article,
        text=text,
        page_language=language,
        dateline=dateline,
        stamp=stamp,
        by_week=by_week,
        status=status,
        topic=article.topic.name_in(article.newsletter.chain_for(language))
        if article.topic
        else "",
    )


def corrected_on(text: ArticleTranslation, article: Article, language: str) -> str:
    """Day and time of the correction on the newsletter's clock; "" where there is none."""
    if not (text.correction and text.corrected_at):
        return ""
    return date_and_time(
        text.corrected_at.astimezone(ZoneInfo(article.newsletter.timezone)), language
    )

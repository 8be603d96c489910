"""The trend that an article is marked with: its topic's, in its issue's time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.text import capfirst

from newsletter.editorial.models import Article, Trend

Statuses = Mapping[int, Mapping[int, str]]
"""By issue and topic."""


def statuses(articles: Iterable[Article]) -> Statuses:
    """The trends that the articles' dates and marks depend on: one query."""
    return Trend.objects.for_issues(a.issue for a in articles if a.topic_id and a.issue)


def status_of(article: Article, known: Statuses) -> str:
    """The trend of the article's topic in its issue, or ""."""
    return known.get(article.issue_id or 0, {}).get(article.topic_id or 0, "")


def status_label(status: str) -> str:
    return capfirst(str(Trend.Status(status).label)) if status else ""

"""The trend shown with an article: that of its topic in the weeks of its issue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.text import capfirst

from newsletter.editorial.models import Article, Trend

Statuses = Mapping[int, Mapping[int, str]]
"""Trend status by issue ID and topic ID."""


def load_statuses(articles: Iterable[Article]) -> Statuses:
    """Load the trends of the articles' topics in their issues. One query."""
    return Trend.objects.for_issues(a.issue for a in articles if a.topic_id and a.issue)


def article_status(article: Article, known: Statuses) -> str:
    """Return the trend of the article's topic in its issue, or ""."""
    return known.get(article.issue_id or 0, {}).get(article.topic_id or 0, "")


def status_label(status: str) -> str:
    return capfirst(str(Trend.Status(status).label)) if status else ""

"""The trend that an article is marked with: its topic's, in its issue's time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.text import capfirst

from newsletter.editorial.models import Article, Trend

Statuses = dict[int, list[tuple[date, str]]]
"""Of each topic: (Monday, status), oldest first."""


def statuses(articles: Iterable[Article]) -> Statuses:
    """The trends that the articles' dates and marks depend on: one query."""
    weeks = [(a.topic_id, a.issue) for a in articles if a.topic_id and a.issue]
    if not weeks:
        return {}
    trends = Trend.objects.filter(
        topic__in={topic for topic, _issue in weeks},
        week__gte=min(issue.starts_on for _topic, issue in weeks),
        week__lte=max(issue.ends_on for _topic, issue in weeks),
    )
    found: Statuses = {}
    for topic, week, status in trends.order_by("week").values_list("topic", "week", "status"):
        found.setdefault(topic, []).append((week, status))
    return found


def status_of(article: Article, known: Statuses) -> str:
    """The trend of the article's topic in its issue's time, the newest where there are several;
    "" where there is none."""
    if not (article.issue and article.topic_id):
        return ""
    issue = article.issue
    during = [
        status
        for week, status in known.get(article.topic_id, [])
        if issue.starts_on <= week <= issue.ends_on
    ]
    return during[-1] if during else ""


def status_label(status: str) -> str:
    return capfirst(str(Trend.Status(status).label)) if status else ""

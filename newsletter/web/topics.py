"""Topics, and how each went from week to week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse

from newsletter.digest.dates import week_range
from newsletter.editorial.models import Issue, Newsletter, Topic, Trend
from newsletter.web.trends import status_label

RECENT = 6
"""Weeks beside an article."""
STRIP = 26
"""Weeks on the topic's own page: half a year."""


@dataclass(frozen=True)
class Week:
    """A topic's week: `status` is "" where nothing was said."""

    topic: str
    slug: str
    dates: str
    monday: date
    status: str

    @property
    def label(self) -> str:
        return status_label(self.status)

    @property
    def url(self) -> str:
        return reverse("web:topic", kwargs={"slug": self.slug})


def find(slug: str) -> Topic | None:
    """The topic of that name; where two newsletters have one, the first newsletter's."""
    topics = Topic.objects.filter(slug=slug).select_related("newsletter")
    return topics.prefetch_related("translations").order_by("newsletter__position", "pk").first()


def recent(topic: Topic, language: str, *, at: datetime, limit: int = RECENT) -> list[Week]:
    """The newest statements on a topic, newest first; never of a week that is yet to come."""
    trends = topic.trends.filter(week__lte=topic.newsletter.local_date(at)).order_by("-week")[
        :limit
    ]
    name = topic.name_in(topic.newsletter.chain_for(language))
    return [_week(topic, name, trend.week, trend.status, language, at=at) for trend in trends]


def strip(weeks: Sequence[Week], *, topic: Topic, language: str, at: datetime) -> list[Week]:
    """The weeks from the oldest to the newest given, those without a statement between them."""
    said = {week.monday: week for week in weeks}
    if not said:
        return []
    first, last = min(said), max(said)
    first = max(first, last - timedelta(weeks=STRIP - 1))
    days = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    name = next(iter(said.values())).topic
    return [said.get(day) or _week(topic, name, day, "", language, at=at) for day in days]


def of_issue(issue: Issue, language: str, *, at: datetime) -> list[Week]:
    """Every topic of the newsletter in the issue's time: three queries. [] where none has a
    trend."""
    said = Trend.objects.for_issue(issue)
    if not said:
        return []
    chain = issue.newsletter.chain_for(language)
    topics = Topic.objects.filter(newsletter=issue.newsletter_id).prefetch_related("translations")
    return [
        _week_of(topic, topic.name_in(chain), issue, said.get(topic.pk, ""), language, at=at)
        for topic in topics
    ]


def _week_of(
    topic: Topic, name: str, issue: Issue, status: str, language: str, *, at: datetime
) -> Week:
    dates = _range(issue.newsletter, issue.starts_on, issue.ends_on, language, at=at)
    return Week(name, topic.slug, dates, issue.starts_on, status)


def _week(
    topic: Topic, name: str, monday: date, status: str, language: str, *, at: datetime
) -> Week:
    sunday = monday + timedelta(days=6)
    dates = _range(topic.newsletter, monday, sunday, language, at=at)
    return Week(name, topic.slug, dates, monday, status)


def _range(newsletter: Newsletter, start: date, end: date, language: str, *, at: datetime) -> str:
    return week_range(start, end, language, today=newsletter.local_date(at))

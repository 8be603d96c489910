"""Topics and their trends, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse

from newsletter.digest.dates import week_range
from newsletter.editorial.models import Issue, Newsletter, Topic, Trend
from newsletter.web.trends import status_label

RECENT_WEEKS = 6
"""Weeks shown beside an article."""
TIMELINE_WEEKS = 26
"""Weeks shown on the topic's page: half a year."""


@dataclass(frozen=True)
class TopicWeek:
    """A topic in one week; `status` is "" if it has none."""

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


def find_topic(slug: str) -> Topic | None:
    """Return the topic with this slug; if several newsletters have one, the first newsletter's."""
    topics = Topic.objects.filter(slug=slug).select_related("newsletter")
    return topics.prefetch_related("translations").order_by("newsletter__position", "pk").first()


def recent_weeks(
    topic: Topic, language: str, *, at: datetime, limit: int = RECENT_WEEKS
) -> list[TopicWeek]:
    """Return the weeks in which the topic has a trend, newest first, without future weeks."""
    trends = topic.trends.filter(week__lte=topic.newsletter.local_date(at)).order_by("-week")[
        :limit
    ]
    name = topic.name_in(topic.newsletter.chain_for(language))
    return [_week(topic, name, trend.week, trend.status, language, at=at) for trend in trends]


def timeline(
    weeks: Sequence[TopicWeek], *, topic: Topic, language: str, at: datetime
) -> list[TopicWeek]:
    """Return every week from the oldest to the newest given, including weeks without a trend."""
    known = {week.monday: week for week in weeks}
    if not known:
        return []
    first, last = min(known), max(known)
    first = max(first, last - timedelta(weeks=TIMELINE_WEEKS - 1))
    days = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    name = next(iter(known.values())).topic
    return [known.get(day) or _week(topic, name, day, "", language, at=at) for day in days]


def weeks_of_issue(issue: Issue, language: str, *, at: datetime) -> list[TopicWeek]:
    """Return every topic of the newsletter in the issue's weeks; [] if none has a trend.

    Three queries.
    """
    statuses = Trend.objects.for_issue(issue)
    if not statuses:
        return []
    chain = issue.newsletter.chain_for(language)
    topics = Topic.objects.filter(newsletter=issue.newsletter_id).prefetch_related("translations")
    return [
        _issue_week(topic, topic.name_in(chain), issue, statuses.get(topic.pk, ""), language, at=at)
        for topic in topics
    ]


def _issue_week(
    topic: Topic, name: str, issue: Issue, status: str, language: str, *, at: datetime
) -> TopicWeek:
    dates = _date_range(issue.newsletter, issue.starts_on, issue.ends_on, language, at=at)
    return TopicWeek(name, topic.slug, dates, issue.starts_on, status)


def _week(
    topic: Topic, name: str, monday: date, status: str, language: str, *, at: datetime
) -> TopicWeek:
    sunday = monday + timedelta(days=6)
    dates = _date_range(topic.newsletter, monday, sunday, language, at=at)
    return TopicWeek(name, topic.slug, dates, monday, status)


def _date_range(
    newsletter: Newsletter, start: date, end: date, language: str, *, at: datetime
) -> str:
    return week_range(start, end, language, today=newsletter.local_date(at))

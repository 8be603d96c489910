"""The desk's dashboard: this week's issue and its problems, recent mailings, reader counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from newsletter.delivery.models import AlertRecipient, Mailing
from newsletter.delivery.oversight.report import Report, WaitingForHour, report, waiting_for_hour
from newsletter.desk.access.rows import (
    VIEW_ISSUE,
    VIEW_MAILING,
    limited,
    newsletter_ids,
    newsletters,
)
from newsletter.desk.alarms import current_alerts
from newsletter.desk.next_issue import NextIssue, next_issue
from newsletter.desk.view_helpers import user_of
from newsletter.digest.dates import month_name, week_range
from newsletter.editorial import schedule
from newsletter.editorial.checks import Problem, find_problems
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.lib.languages import language_name
from subscribers import audience

RECENT_MAILINGS = 5


@dataclass(frozen=True)
class NewsletterSummary:
    """One newsletter on the dashboard."""

    newsletter: Newsletter
    issue: Issue | None
    week: tuple[date, date]
    """The first and last day that the next mailing covers."""
    week_name: str
    """The same days, written out in the page's language."""
    problems: list[Problem]
    next_at: datetime | None
    """When the schedule sends next; None if it is off."""
    zone: str
    readers: list[tuple[str, int]]
    """Active weekly readers by chain of languages."""
    monthly: int
    """How many readers chose the monthly round-up."""
    round_up: schedule.RoundUp
    """The next round-up."""
    month_name: str
    next_issue: NextIssue
    """The issue to start next, which is the one above if that doesn't exist yet."""


def dashboard(request: HttpRequest) -> dict[str, Any]:
    """Return the dashboard's context; empty for users who may not view issues."""
    if not request.user.has_perm("editorial.view_issue"):
        return {}
    rows = newsletters(user_of(request), VIEW_ISSUE).prefetch_related("translations")
    shown = list(rows)
    return {
        "alerts": current_alerts(),
        "nobody_is_alerted": _nobody_is_alerted(),
        "summaries": [_summarize(newsletter) for newsletter in shown],
        "mailings": recent_mailings(newsletter_ids(user_of(request), VIEW_MAILING)),
        "has_newsletter": bool(shown),
        "has_article": Article.objects.exists(),
    }


def _nobody_is_alerted() -> bool:
    """Tell whether a failure would be seen on this page only."""
    if settings.ALERT_URLS:
        return False
    recipients = AlertRecipient.objects.filter(user__is_active=True).exclude(user__email="")
    return not recipients.exists()


def recent_mailings(
    ids: set[int] | None = None,
) -> list[tuple[Mailing, Report, WaitingForHour | None]]:
    """Return the latest mailings of these newsletters (None: of all), each with its counts and the
    readers waiting for their hour."""
    rows = Mailing.objects.select_related("release__newsletter", "release__issue")
    rows = limited(rows, ids, "release__newsletter")
    return [
        (mailing, report(mailing), waiting_for_hour(mailing)) for mailing in rows[:RECENT_MAILINGS]
    ]


def _summarize(newsletter: Newsletter) -> NewsletterSummary:
    now = timezone.now()
    rule = newsletter.rule
    upcoming = schedule.next_occurrence(rule, now)
    round_up = schedule.next_round_up(rule, now)
    issue = newsletter.issues.for_week(upcoming.week)
    first, last = upcoming.week, upcoming.week + timedelta(days=6)
    if issue is not None:
        first, last = issue.starts_on, issue.ends_on
        upcoming = _mailing_occasion(issue, rule)
    return NewsletterSummary(
        newsletter=newsletter,
        issue=issue,
        week=(first, last),
        week_name=week_range(first, last, get_language() or "en", today=newsletter.local_date(now)),
        problems=find_problems(issue) if issue else [],
        next_at=upcoming.at if newsletter.schedule_active else None,
        zone=newsletter.timezone,
        readers=readers_by_chain(newsletter),
        monthly=sum(n for _segment, n in audience.segments(newsletter, audience.Frequency.MONTHLY)),
        round_up=round_up,
        month_name=month_name(
            date(round_up.month.year, round_up.month.month, 1), get_language() or "en"
        ),
        next_issue=next_issue(newsletter),
    )


def _mailing_occasion(issue: Issue, rule: schedule.Rule) -> schedule.Occurrence:
    """Return when the schedule sends the issue, or the first issue after it if it is a break."""
    week = issue.last_week
    return schedule.occurrence_sending(
        rule, week if issue.goes_out_with(week) else week + schedule.WEEK
    )


def readers_by_chain(newsletter: Newsletter) -> list[tuple[str, int]]:
    """Return ("беларуская, русский", count) for each chain of languages, largest count first."""
    counts = count_readers(newsletter)
    return [(chain_name(chain), count) for chain, count in counts.most_common()]


def count_readers(newsletter: Newsletter) -> Counter[tuple[str, ...]]:
    """Return the number of readers of each chain of languages."""
    counts: Counter[tuple[str, ...]] = Counter()
    for segment, readers in audience.segments(newsletter):
        counts[segment.languages] += readers
    return counts


def chain_name(chain: tuple[str, ...]) -> str:
    return ", ".join(language_name(code) for code in chain)

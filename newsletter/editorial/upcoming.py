"""The week that a newsletter's next issue will be about."""

from __future__ import annotations

from datetime import date, datetime

from newsletter.editorial.models import Newsletter
from newsletter.editorial.schedule import WEEK, next_occurrence


def next_free_week(newsletter: Newsletter, now: datetime) -> date:
    """Return the Monday of the first week without an issue, from the one that is sent next."""
    week = next_occurrence(newsletter.rule, now).week
    scheduled = newsletter.issues.scheduled()
    for issue in scheduled.filter(ends_on__gte=week).order_by("starts_on"):
        if issue.starts_on > week:
            break
        week = issue.last_week + WEEK
    return week

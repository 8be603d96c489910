"""Links that start each newsletter's next issue, with its dates proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from newsletter.desk.access.rows import newsletters
from newsletter.desk.view_helpers import user_of
from newsletter.digest.dates import week_range
from newsletter.editorial.models import Issue, Newsletter
from newsletter.editorial.upcoming import next_free_week


@dataclass(frozen=True)
class NextIssue:
    """The issue that a newsletter needs next."""

    newsletter: Newsletter
    week: date

    @property
    def days(self) -> str:
        """The week in the page's language: "16–22 November 2026"."""
        return week_range(self.week, self._last, get_language() or "en", today=date.min)

    @property
    def url(self) -> str:
        query = {
            "newsletter": self.newsletter.pk,
            "starts_on": self.week.isoformat(),
            "ends_on": self._last.isoformat(),
        }
        return f"{reverse('admin:editorial_issue_add')}?{urlencode(query)}"

    @property
    def break_url(self) -> str:
        """Return the page that plans a break for the week: then nothing is sent."""
        return f"{self.url}&kind={Issue.Kind.BREAK.value}"

    @property
    def _last(self) -> date:
        return self.week + timedelta(days=6)


def next_issues(request: HttpRequest) -> list[NextIssue]:
    """Return the next issue of each newsletter; none for users who may not add issues."""
    rows = newsletters(user_of(request), "editorial.add_issue")
    rows = rows.prefetch_related("translations")
    return [next_issue(newsletter) for newsletter in rows]


def next_issue(newsletter: Newsletter) -> NextIssue:
    return NextIssue(newsletter, next_free_week(newsletter, timezone.now()))

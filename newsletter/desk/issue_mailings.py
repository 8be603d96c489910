"""What an issue's page shows of its mailings, and whether it can be held."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning.snapshot import Audience
from newsletter.desk.send_choice import is_waiting
from newsletter.editorial.models import Issue
from newsletter.editorial.workflow import scheduled_send_time


def mailings_of(issue: Issue) -> list[Mailing]:
    """Return the issue's mailings, the latest first."""
    rows = Mailing.objects.filter(release__issue=issue)
    return list(rows.select_related("release__newsletter", "release__issue", "started_by"))


def for_page(issue: Issue) -> dict[str, Any]:
    mailings, at = mailings_of(issue), scheduled_send_time(issue)
    everyone = [mailing for mailing in mailings if mailing.audience == Audience.ALL]
    return {
        "mailings": mailings,
        "is_held_by_hand": any(mailing.hold == Mailing.Hold.BY_HAND for mailing in everyone),
        "may_hold": at is not None
        and at > timezone.now()
        and all(is_waiting(mailing) for mailing in everyone),
        "is_sent": any(mailing.snapshot_at for mailing in mailings),
    }

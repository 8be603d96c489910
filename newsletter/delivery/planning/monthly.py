"""When a month's round-up goes out by itself.

Its release is made when its time has come, also where there is nobody to read it, or nothing to
read: that it is there says that the month was looked at. So a reader who chooses this rhythm in
the middle of a month begins with the next round-up.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.planning import release_content
from newsletter.editorial.models import Newsletter
from newsletter.editorial.schedule import Decision, Month, decide, latest_round_up
from subscribers import audience

log = logging.getLogger(__name__)


def dispatch(newsletter: Newsletter, now: datetime) -> Mailing | None:
    """Make the mailing of the round-up that is due, once (E1, E3); None where none is."""
    due = latest_round_up(newsletter.rule, now)
    decision = decide(
        due,
        now,
        since=newsletter.schedule_since,
        done=_was_looked_at(newsletter, due.month),
        late_hours=settings.LATE_HOURS,
    )
    if decision is Decision.WAIT:
        return None
    reason = Mailing.Hold.LATE if decision is Decision.HOLD_LATE else Mailing.Hold.NONE
    return _make(newsletter, due.month, reason, now)


def release_of(newsletter: Newsletter, month: Month) -> tuple[Release, bool]:
    """The month's release, and whether this call made it."""
    return Release.objects.get_or_create(
        newsletter=newsletter, kind=Release.Kind.MONTHLY, period=month.key
    )


@transaction.atomic
def _make(
    newsletter: Newsletter, month: Month, reason: Mailing.Hold, now: datetime
) -> Mailing | None:
    release, made = release_of(newsletter, month)
    if not made or not _is_called_for(newsletter, month, now):
        return None
    state = Mailing.State.HELD if reason else Mailing.State.PREPARING
    mailing = Mailing.objects.create(release=release, state=state, hold=reason)
    log.info("dispatch", extra={"mailing": mailing.pk, "state": state, "hold": reason})
    return mailing


def _is_called_for(newsletter: Newsletter, month: Month, now: datetime) -> bool:
    """Whether there is something to read and somebody who reads it."""
    return audience.has_readers(newsletter, audience.Frequency.MONTHLY) and bool(
        release_content.round_up(newsletter, month, at=now).articles
    )


def _was_looked_at(newsletter: Newsletter, month: Month) -> bool:
    return Release.objects.filter(
        newsletter=newsletter, kind=Release.Kind.MONTHLY, period=month.key
    ).exists()

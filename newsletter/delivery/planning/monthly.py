"""Send a month's round-up on schedule.

When a round-up is due, its release is created even if nobody reads it or there is nothing to read:
the release records that the month was dealt with. So a reader who switches to monthly emails in the
middle of a month gets the next round-up first.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.oversight import restore_guard
from newsletter.delivery.planning import release_content
from newsletter.editorial.models import Newsletter
from newsletter.editorial.schedule import Decision, Month, decide, latest_round_up
from subscribers import audience

log = logging.getLogger(__name__)


def dispatch(newsletter: Newsletter, now: datetime) -> Mailing | None:
    """Create the mailing of the round-up that is due, once (E1, E3); None if there is none."""
    due = latest_round_up(newsletter.rule, now)
    decision = decide(
        due,
        now,
        since=newsletter.schedule_since,
        done=Release.objects.filter(**_release_key(newsletter, due.month)).exists(),
        late_hours=settings.LATE_HOURS,
    )
    if decision is Decision.WAIT:
        return None
    reason = Mailing.Hold.NONE
    if decision is Decision.HOLD_LATE:
        reason = Mailing.Hold.LATE
    elif restore_guard.may_have_been_sent(due.at):
        reason = Mailing.Hold.RESTORED
    return _create(newsletter, due.month, reason, now)


@transaction.atomic
def _create(
    newsletter: Newsletter, month: Month, reason: Mailing.Hold, now: datetime
) -> Mailing | None:
    release, created = Release.objects.get_or_create(**_release_key(newsletter, month))
    if not created or not _is_wanted(newsletter, month, now):
        return None
    state = Mailing.State.HELD if reason else Mailing.State.PREPARING
    mailing = Mailing.objects.create(release=release, state=state, hold=reason)
    log.info("dispatch", extra={"mailing": mailing.pk, "state": state, "hold": reason})
    return mailing


def _is_wanted(newsletter: Newsletter, month: Month, now: datetime) -> bool:
    """Return whether there is something to read and somebody to read it."""
    return audience.has_readers(newsletter, audience.Frequency.MONTHLY) and bool(
        release_content.round_up(newsletter, month, at=now).articles
    )


def _release_key(newsletter: Newsletter, month: Month) -> dict[str, Any]:
    return {"newsletter": newsletter, "kind": Release.Kind.MONTHLY, "period": month.key}

"""The circuit breaker of a mailing (D4): too many bounces or complaints warn staff, or pause it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Event, Mailing, MailingRates, Outcome
from newsletter.delivery.signals import alert
from newsletter.transport.outcomes import Fault, Result

log = logging.getLogger(__name__)
Kind = Event.Kind

COUNTED = frozenset({Kind.BOUNCED, Kind.REJECTED, Kind.COMPLAINED})
CHECK_EVERY = timedelta(seconds=5)
MIN_ACCEPTED = 50
WARN_BOUNCED, PAUSE_BOUNCED = 0.02, 0.05
WARN_COMPLAINED, PAUSE_COMPLAINED = 0.001, 0.003
MIN_BOUNCED, MIN_COMPLAINED = 3, 2
"""Fewer than these say nothing about a mailing, however small it is."""
PAUSE_AGAIN = 1.5
"""A resumed mailing is paused again at this multiple of the rate at which it was paused."""
MIN_BLOCKED = 3


class Numbers(NamedTuple):
    """A mailing's emails that were accepted, and the readers who reacted.

    `blocked` are those of `bounced` that aren't the reader's fault (5.7.x, spam, blocks).
    """

    accepted: int
    bounced: int = 0
    complained: int = 0
    blocked: int = 0

    @property
    def bounce_rate(self) -> float:
        return self.bounced / max(self.accepted, 1)

    @property
    def complaint_rate(self) -> float:
        return self.complained / max(self.accepted, 1)

    def __str__(self) -> str:
        return (
            f"{self.bounced} of {self.accepted} emails bounced ({self.bounce_rate:.1%}), "
            f"{self.complained} readers complained ({self.complaint_rate:.2%})"
        )


class Verdict(Enum):
    """What the numbers call for."""

    OK = "ok"
    WARN = "warn"
    PAUSE = "pause"


def decide(
    numbers: Numbers, *, paused_at_bounced: float = 0.0, paused_at_complained: float = 0.0
) -> Verdict:
    """Decide by the rates. Somebody who resumed a paused mailing has accepted its rates: it is
    paused again only at half as much again. Pure."""
    if numbers.accepted < MIN_ACCEPTED:
        return Verdict.OK
    bounced = numbers.bounce_rate if numbers.bounced >= MIN_BOUNCED else 0.0
    complained = numbers.complaint_rate if numbers.complained >= MIN_COMPLAINED else 0.0
    if bounced >= max(PAUSE_BOUNCED, PAUSE_AGAIN * paused_at_bounced):
        return Verdict.PAUSE
    if complained >= max(PAUSE_COMPLAINED, PAUSE_AGAIN * paused_at_complained):
        return Verdict.PAUSE
    if bounced >= WARN_BOUNCED or complained >= WARN_COMPLAINED:
        return Verdict.WARN
    return Verdict.OK


def note(mailing_ids: Iterable[int | None]) -> None:
    """Have these mailings checked: after the commit, or with the next tick if a check has just
    been made."""
    ids = sorted(pk for pk in mailing_ids if pk is not None)
    if not ids:
        return
    MailingRates.objects.bulk_create(
        [MailingRates(mailing_id=pk) for pk in ids],
        update_conflicts=True,
        unique_fields=["mailing"],
        update_fields=["pending"],
    )
    transaction.on_commit(lambda: check_all(ids), robust=True)


def check_all(mailing_ids: Iterable[int] | None = None) -> int:
    """Check the mailings, or all those with new feedback; return how many were paused."""
    if mailing_ids is None:
        pending = MailingRates.objects.filter(pending=True)
        mailing_ids = list(pending.values_list("mailing", flat=True))
    return sum(_check(pk) for pk in mailing_ids)


def _check(mailing_id: int) -> bool:
    """Check one mailing, unless that was done in the last few seconds. Return if it was paused."""
    rows = MailingRates.objects.filter(mailing=mailing_id, pending=True)
    recently = Q(checked_at__gt=Now() - CHECK_EVERY)
    if not rows.exclude(recently, checked_at__isnull=False).update(checked_at=Now(), pending=False):
        return False
    state = MailingRates.objects.get(mailing=mailing_id)
    numbers = count(mailing_id)
    verdict = decide(
        numbers,
        paused_at_bounced=state.paused_at_bounced or 0.0,
        paused_at_complained=state.paused_at_complained or 0.0,
    )
    paused = verdict is Verdict.PAUSE and _pause(mailing_id, numbers)
    if not paused and verdict is not Verdict.OK:
        _tell_once(mailing_id, "warned", "rates-warning", numbers)
    if numbers.blocked >= MIN_BLOCKED:
        _tell_once(mailing_id, "blocks_reported", "blocked", numbers)
    return paused


def count(mailing_id: int) -> Numbers:
    """Count a mailing's accepted emails and the readers who bounced or complained."""
    reader = "subscriber_id"
    is_bounce = Q(kind__in=[Kind.BOUNCED, Kind.REJECTED])
    found = Event.objects.filter(mailing_id=mailing_id, kind__in=COUNTED).aggregate(
        bounced=Count(reader, distinct=True, filter=is_bounce),
        complained=Count(reader, distinct=True, filter=Q(kind=Kind.COMPLAINED)),
        blocked=Count(
            reader,
            distinct=True,
            filter=Q(kind=Kind.BOUNCED, fault__in=[Fault.SENDER, Fault.MESSAGE]),
        ),
    )
    settled = Outcome.objects.filter(mailing_id=mailing_id, result=Result.SENT).count()
    running = Batch.objects.filter(mailing=mailing_id, state=Batch.State.CLAIMED)
    handed_over = sum(
        bytes(results).count(bytes([Result.SENT]))
        for results in running.values_list("results", flat=True)
    )
    return Numbers(settled + handed_over, **found)


def _pause(mailing_id: int, numbers: Numbers) -> bool:
    with transaction.atomic():
        paused = Mailing.objects.filter(pk=mailing_id, state=Mailing.State.SENDING).update(
            state=Mailing.State.PAUSED, hold=Mailing.Hold.RATES, hold_facts=numbers._asdict()
        )
        if not paused:
            return False
        MailingRates.objects.filter(mailing=mailing_id).update(
            paused_at_bounced=numbers.bounce_rate, paused_at_complained=numbers.complaint_rate
        )
    log.warning("paused-by-rates", extra={"mailing": mailing_id, **numbers._asdict()})
    _send_alert("rates-paused", mailing_id, numbers)
    return True


def _tell_once(mailing_id: int, column: str, kind: str, numbers: Numbers) -> None:
    rows = MailingRates.objects.filter(mailing=mailing_id, **{column: False})
    if rows.update(**{column: True}):
        log.warning("rates", extra={"mailing": mailing_id, "kind": kind, **numbers._asdict()})
        _send_alert(kind, mailing_id, numbers)


def _send_alert(kind: str, mailing_id: int, numbers: Numbers) -> None:
    alert.send(sender=None, kind=kind, mailing_id=mailing_id, detail=str(numbers))

"""Find what people have to be told (E9), from what the database says now. Only reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Now

from newsletter.delivery.feedback import rates
from newsletter.delivery.models import (
    Alert,
    Batch,
    KillSwitch,
    Mailing,
    MailingRates,
    Outcome,
    PasswordGuessing,
    TransportState,
)
from newsletter.delivery.oversight import mailbox_watch
from newsletter.delivery.oversight.report import has_failed
from newsletter.delivery.sending import transports
from newsletter.editorial.models import Issue
from newsletter.transport.outcomes import Fault, Result
from newsletter.transport.pace.pace import LIMIT_REACHED

Kind = Alert.Kind
State = Mailing.State

OUTAGE = timedelta(seconds=45)
"""A transport that is back sooner isn't reported."""
OVERDUE = timedelta(minutes=10)
"""How long a batch may be due before its readers are reported as a backlog."""
JUST_ENDED = timedelta(hours=1)
"""How long a mailing that ended is looked at for the first time."""
RECENT = timedelta(days=14)
"""A mailing that ended longer ago isn't reported any more."""
GUESSED_LATELY = timedelta(days=1)
"""How long after the last wrong password it is still a problem."""
_OPERATORS_OWN = (Mailing.Hold.NONE, Mailing.Hold.KILL_SWITCH, Mailing.Hold.BY_HAND)
"""Holds that a person chose, who needs no telling."""


@dataclass(frozen=True)
class Problem:
    """One failure. `subject` identifies it within its kind; `facts` name no reader."""

    kind: Alert.Kind
    subject: str
    mailing_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def find_problems() -> list[Problem]:
    """Return everything that is wrong now."""
    return [
        *_held(),
        *_ended_badly(),
        *_down(),
        *_backlog(),
        *_rates(),
        *_mailbox(),
        *_approvals(),
        *_guessed_passwords(),
    ]


def _held() -> Iterator[Problem]:
    held = Mailing.objects.filter(state__in=[State.HELD, State.PAUSED])
    for mailing in held.exclude(hold__in=_OPERATORS_OWN):
        facts = {"hold": mailing.hold, "detail": mailing.hold_detail, **mailing.hold_facts}
        yield Problem(Kind.HELD, str(mailing.pk), mailing.pk, facts)


def _ended_badly() -> Iterator[Problem]:
    # Counting a million outcomes each minute would cost more than it tells.
    reported = Alert.objects.filter(resolved_at=None).exclude(mailing_id=None)
    ended = Mailing.objects.filter(
        Q(finished_at__gt=Now() - JUST_ENDED)
        | Q(finished_at__gt=Now() - RECENT, pk__in=reported.values("mailing_id")),
        state=State.FINISHED,
    )
    readers = dict(ended.values_list("pk", "readers"))
    rows = (
        Outcome.objects.filter(mailing_id__in=readers)
        .values("mailing_id")
        .annotate(
            sent=Count("pk", filter=Q(result=Result.SENT)),
            failed=Count("pk", filter=Q(result=Result.FAILED)),
            unknown=Count("pk", filter=Q(result=Result.UNKNOWN)),
        )
    )
    for row in rows:
        mailing_id, total = row["mailing_id"], readers[row["mailing_id"]] or 0
        if has_failed(readers=total, sent=row["sent"], failed=row["failed"]):
            facts = {"failed": row["failed"], "readers": total, **_most_common_failure(mailing_id)}
            yield Problem(Kind.FAILED, str(mailing_id), mailing_id, facts)
        if row["unknown"]:
            facts = {"unknown": row["unknown"], "readers": total}
            yield Problem(Kind.UNKNOWN, str(mailing_id), mailing_id, facts)


def _most_common_failure(mailing_id: int) -> dict[str, Any]:
    most_common = (
        Outcome.objects.filter(mailing_id=mailing_id, result=Result.FAILED)
        .values_list("fault", "code", "status")
        .annotate(number=Count("pk"))
        .order_by("-number")
        .first()
    )
    if most_common is None:
        return {}
    fault, code, status, _number = most_common
    return {"fault": fault, "code": code, "status": status}


def is_outage() -> bool:
    """Return whether all transports have been down for longer than a moment."""
    names = set(_outages().values_list("name", flat=True))
    return all(transport.name in names for transport in transports.configured())


def _outages() -> QuerySet[TransportState]:
    """Return the transports that are down. One whose own limit is used up isn't: it goes on later,
    as the operator wanted it."""
    down = TransportState.objects.filter(down_since__lte=Now() - OUTAGE)
    return down.exclude(fault=Fault.SPEED, reason__startswith=LIMIT_REACHED)


def _down() -> Iterator[Problem]:
    for transport in _outages():
        facts = {
            "transport": transport.name,
            "fault": transport.fault,
            "code": transport.code,
            "status": transport.status,
            "reason": transport.reason,
            "since": transport.down_since.isoformat() if transport.down_since else "",
        }
        yield Problem(Kind.TRANSPORT, transport.name, facts=facts)


def _rates() -> Iterator[Problem]:
    """Report mailings with many bounces or complaints, though not so many that they are held."""
    told = Q(warned=True) | Q(blocks_reported=True)
    for row in MailingRates.objects.filter(told, checked_at__gt=Now() - RECENT):
        facts = rates.count(row.mailing_id)._asdict()
        yield Problem(Kind.RATES, str(row.mailing_id), row.mailing_id, facts)


def _mailbox() -> Iterator[Problem]:
    problem = mailbox_watch.problem()
    if problem:
        yield Problem(Kind.MAILBOX, "mailbox", facts={"problem": problem})


def _approvals() -> Iterator[Problem]:
    """Report issues whose approval somebody else's change withdrew (I2)."""
    withdrawn = Issue.objects.exclude(withdrawn_from=None).filter(ends_on__gte=Now() - RECENT)
    for issue in withdrawn.select_related("withdrawn_by"):
        by = issue.withdrawn_by
        facts = {"issue": issue.pk, "by": str(by.get_full_name() or by) if by else ""}
        yield Problem(Kind.APPROVAL, str(issue.pk), facts=facts)


def _guessed_passwords() -> Iterator[Problem]:
    """Report accounts whose password somebody is guessing (I4), for a day after the last guess."""
    rows = PasswordGuessing.objects.filter(last_at__gt=Now() - GUESSED_LATELY)
    for row in rows.select_related("user"):
        facts = {"user": row.user_id, "name": row.user.get_username(), "failures": row.failures}
        yield Problem(Kind.PASSWORDS, str(row.user_id), facts=facts)


def _backlog() -> Iterator[Problem]:
    """Report batches that are due but untouched, unless something else explains them."""
    if KillSwitch.objects.filter(engaged=True).exists() or transports.all_down():
        return
    overdue = Batch.objects.filter(
        state=Batch.State.OPEN, mailing__state=State.SENDING, due_at__lte=Now() - OVERDUE
    )
    for row in overdue.values("mailing_id").annotate(readers=Sum("size"), since=Min("due_at")):
        # While an earlier batch of the mailing is being sent, the others take their turn.
        running = Batch.objects.filter(mailing=row["mailing_id"], state=Batch.State.CLAIMED)
        if not running.exists():
            facts = {"readers": row["readers"], "since": row["since"].isoformat()}
            yield Problem(Kind.BACKLOG, str(row["mailing_id"]), row["mailing_id"], facts)

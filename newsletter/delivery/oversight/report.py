"""A mailing's progress in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.oversight.explanations import Explanation, explain
from newsletter.transport.outcomes import Fault, Result


@dataclass(frozen=True)
class Report:
    """How many readers are in the snapshot, and in what state; the states add up to `readers`.

    `handed_over` isn't a separate state: it counts those *waiting* readers whose email a running
    batch has already recorded as sent.
    """

    readers: int
    sent: int = 0
    refused: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0
    waiting: int = 0
    handed_over: int = 0

    @property
    def settled(self) -> int:
        return self.sent + self.refused + self.failed + self.skipped + self.unknown

    @property
    def done_percent(self) -> int:
        """Return the share of readers who are done, in whole percent; 100 without readers."""
        return (self.settled + self.handed_over) * 100 // self.readers if self.readers else 100

    @property
    def has_failed(self) -> bool:
        """Whether so many readers didn't get it, for reasons that aren't theirs, that it failed."""
        return has_failed(readers=self.readers, sent=self.sent, failed=self.failed)

    @property
    def balances(self) -> bool:
        return self.settled + self.waiting == self.readers

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


FAILED_PERCENT, MIN_FAILED = 5, 3
"""From this share and number of failed readers on, a mailing counts as failed (as D4's bounces)."""


def has_failed(*, readers: int, sent: int, failed: int) -> bool:
    """Return whether a mailing with these counts is shown as failed.

    `failed` counts readers who didn't get it for a reason that isn't their own.
    """
    many = failed >= MIN_FAILED and failed * 100 >= readers * FAILED_PERCENT
    return many or (failed > 0 and not sent)


@dataclass(frozen=True)
class Failure:
    """Readers who didn't get the email, by what the relay or provider replied."""

    fault: Fault
    code: int | None
    status: str
    readers: int
    suppresses: bool = False
    """Whether it counts against the readers."""

    @property
    def explanation(self) -> Explanation:
        return explain(self.fault, self.code, self.status)

    @property
    def codes(self) -> str:
        return f"{self.code or ''} {self.status}".strip()


def failures(mailing: Mailing) -> list[Failure]:
    """Return why readers didn't get it, the most frequent reply first; none once it is closed."""
    rows = (
        Outcome.objects.filter(mailing_id=mailing.pk, result__in=[Result.REFUSED, Result.FAILED])
        .values_list("fault", "code", "status", "result")
        .annotate(readers=Count("pk"))
        .order_by("-readers")
    )
    return [
        Failure(Fault(fault), code, status, readers, suppresses=result == Result.REFUSED)
        for fault, code, status, result, readers in rows
    ]


def sent_by_transport(mailing: Mailing) -> list[tuple[str, int]]:
    """Return how many emails each transport sent, the busiest first."""
    batches = Batch.objects.filter(mailing=mailing).exclude(transport="")
    counts: Counter[str] = Counter()
    for transport, results in batches.values_list("transport", "results").iterator():
        counts[transport] += bytes(results).count(bytes([Result.SENT]))
    return counts.most_common()


@dataclass(frozen=True)
class WaitingForHour:
    """Readers whose preferred hour is still to come, and when the last of them are due."""

    readers: int
    last_at: datetime


def waiting_for_hour(mailing: Mailing) -> WaitingForHour | None:
    """Count the readers who wait for their hour; None without any. Excludes deferred readers."""
    waiting = Batch.objects.filter(
        mailing=mailing, state=Batch.State.OPEN, round=0, due_at__gt=Now()
    ).aggregate(readers=Sum("size"), last=Max("due_at"))
    return WaitingForHour(waiting["readers"], waiting["last"]) if waiting["readers"] else None


@dataclass(frozen=True)
class Deferred:
    """Readers whose email was deferred, and when the next attempt is."""

    readers: int
    next_at: datetime
    why: str
    """The most frequent reply codes; empty if none are known."""


def deferred(mailing: Mailing) -> Deferred | None:
    """Count the deferred readers; None without any. Two queries."""
    waiting = Batch.objects.filter(mailing=mailing, state=Batch.State.OPEN, round__gt=0)
    found = waiting.aggregate(readers=Sum("size"), next=Min("due_at"))
    if not found["readers"]:
        return None
    reasons = waiting.values_list("deferred_by").annotate(readers=Sum("size"))
    why, _ = reasons.order_by("-readers", "deferred_by")[0]
    return Deferred(found["readers"], found["next"], why)


def report(mailing: Mailing) -> Report:
    """Count the outcomes and the readers in open batches. Two queries."""
    if mailing.state == Mailing.State.CLOSED:
        return Report(**{f.name: mailing.counts[f.name] for f in fields(Report)})
    rows = Outcome.objects.filter(mailing_id=mailing.pk).values_list("result")
    counts = {Result(value).name.lower(): n for value, n in rows.annotate(n=Count("mailing_id"))}
    unfinished = Batch.objects.filter(mailing=mailing).exclude(state=Batch.State.CLOSED)
    running = unfinished.filter(state=Batch.State.CLAIMED).values_list("results", flat=True)
    return Report(
        readers=mailing.readers or 0,
        waiting=unfinished.aggregate(total=Sum("size"))["total"] or 0,
        handed_over=sum(bytes(results).count(bytes([Result.SENT])) for results in running),
        **counts,
    )

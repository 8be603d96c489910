"""How fast a mailing goes, how long the rest takes, and what is being handed over right now."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.oversight.report import Report
from newsletter.delivery.sending import protocol
from newsletter.transport.outcomes import Result

MIN_SECONDS = 10
"""A rate is not shown before: the first seconds say little."""


@dataclass(frozen=True)
class Pace:
    """Readers per minute since the mailing started, and the minutes that the rest takes at that."""

    per_minute: int
    minutes_left: int


def pace(mailing: Mailing, counts: Report, *, not_due: int) -> Pace | None:
    """Return the pace of a mailing that is being sent; None if it says nothing yet.

    `not_due` readers wait for their hour or for another attempt, and aren't part of what is left.
    The rate is an average since the snapshot, by the database's clock, so a pause lowers it.
    """
    if mailing.state != Mailing.State.SENDING or mailing.snapshot_at is None:
        return None
    seconds = (protocol.database_now() - mailing.snapshot_at).total_seconds()
    done = counts.settled + counts.handed_over - counts.skipped
    left = counts.waiting - counts.handed_over - not_due
    per_minute = round(done * 60 / seconds) if seconds >= MIN_SECONDS else 0
    if per_minute < 1 or left < 1:
        return None
    return Pace(per_minute, -(-left // per_minute))


def handing_over(mailing: Mailing) -> int:
    """Return how many readers workers have permission to send to, and have no result yet.

    These may be handed over even after a pause or a cancellation. It reads the open batches that a
    worker has claimed: as many as there are workers.
    """
    rows = Batch.objects.filter(mailing=mailing, state=Batch.State.CLAIMED)
    return sum(
        max(0, intent - _with_result(bytes(results)))
        for intent, results in rows.values_list("intent", "results")
    )


def _with_result(results: bytes) -> int:
    return len(results) - results.count(bytes([Result.NONE]))

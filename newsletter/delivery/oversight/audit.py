"""Accounts for every reader, id by id.

Of each mailing: its outcomes and the readers in its open batches are those that were frozen, by
count and checksum, and nobody is in them twice; whoever Reach says it took is among them; and
whoever is among them is in Reach for it, or was taken on by a later mailing of the release.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import merge
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.report import Report, report
from newsletter.delivery.sending.packing import MODULUS, checksum, unpack


@dataclass(frozen=True)
class Finding:
    """One mailing's audit. `faults` is empty where everything balances."""

    mailing_id: int
    title: str
    state: str
    account: Report
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "mailing": self.mailing_id,
            "title": self.title,
            "state": self.state,
            **self.account.as_dict(),
            "faults": self.faults,
        }


def audit(mailing_id: int | None = None) -> list[Finding]:
    """Audit one mailing, or all, oldest first. Reads only."""
    mailings = Mailing.objects.select_related("release__newsletter").order_by("pk")
    if mailing_id is not None:
        mailings = mailings.filter(pk=mailing_id)
    findings = []
    for mailing in mailings:
        with _snapshot():
            findings.append(_audit(mailing))
    return findings


@contextmanager
def _snapshot() -> Iterator[None]:
    """While workers send, readers move from batches to outcomes: all is read as of one moment."""
    if connection.in_atomic_block:  # the caller's transaction is what is to be looked at
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield
    else:
        # Not `atomic`, which would take SQLite's only lock for writing, and hold up the senders.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _audit(mailing: Mailing) -> Finding:
    counts = report(mailing)
    faults = [] if mailing.state == Mailing.State.CLOSED else _faults(mailing, counts)
    return Finding(mailing.pk, str(mailing), mailing.state, counts, faults)


def _faults(mailing: Mailing, counts: Report) -> list[str]:
    """Each sentence names one thing that does not balance."""
    waiting = _waiting(mailing)
    settled = _ids(Outcome.objects.filter(mailing_id=mailing.pk))
    walked = _walk(
        _ids(ReleaseRecipient.objects.filter(mailing_id=mailing.pk)), merge(settled, waiting)
    )
    finished = mailing.state == Mailing.State.FINISHED
    checks = [
        (walked.readers != (mailing.readers or 0), "the stored count is not that of the readers"),
        (walked.checksum != (mailing.checksum or 0), "the stored checksum is not theirs"),
        (walked.forgotten, "somebody was forgotten: neither outcome nor batch"),
        (walked.repeated, "somebody is accounted for twice"),
        (not _went_on(mailing, walked.others), "somebody is accounted for who was not frozen"),
        (finished and bool(waiting), "finished, but readers wait"),
        (not counts.balances, "the counts do not add up"),
    ]
    return [sentence for fault, sentence in checks if fault]


@dataclass
class _Walked:
    """`readers` and `checksum` are of those accounted for; `others` of them are not in Reach."""

    readers: int = 0
    checksum: int = 0
    others: array[int] = field(default_factory=lambda: array("q"))
    forgotten: bool = False
    repeated: bool = False


def _walk(reached: Iterable[int], accounted: Iterable[int]) -> _Walked:
    """Compare two sorted streams of ids."""
    walked = _Walked()
    frozen = iter(reached)
    current, last = next(frozen, None), None
    for reader in accounted:
        walked.readers += 1
        walked.checksum = (walked.checksum + checksum((reader,))) % MODULUS
        if reader == last:
            walked.repeated = True
            continue
        last = reader
        while current is not None and current < reader:
            walked.forgotten = True
            current = next(frozen, None)
        if current == reader:
            current = next(frozen, None)
        else:
            walked.others.append(reader)
    walked.forgotten = walked.forgotten or current is not None
    return walked


def _went_on(mailing: Mailing, readers: array[int]) -> bool:
    """Whether a later mailing of the same release has taken each of these readers."""
    if not readers:
        return True
    later = ReleaseRecipient.objects.filter(
        release_id=mailing.release_id, mailing_id__gt=mailing.pk
    )
    return not _walk(readers, _ids(later)).forgotten


def _ids(rows: QuerySet[ReleaseRecipient] | QuerySet[Outcome]) -> Iterator[int]:
    ids = rows.order_by("subscriber_id").values_list("subscriber_id", flat=True)
    return ids.iterator(chunk_size=10_000)


def _waiting(mailing: Mailing) -> array[int]:
    """Ids in open batches, sorted."""
    waiting = array("q")
    unfinished = Batch.objects.filter(mailing=mailing).exclude(state=Batch.State.CLOSED)
    for packed in unfinished.values_list("reader_ids", flat=True).iterator(chunk_size=500):
        waiting.extend(unpack(packed))
    return array("q", sorted(waiting))

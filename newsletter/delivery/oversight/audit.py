"""Account for every reader, ID by ID.

The readers who are *accounted for* by a mailing have an outcome or are in one of its open batches.
For each mailing the audit checks that

- they match the count and the checksum of the snapshot, and none of them appears twice
- every release recipient of the mailing is among them
- each of them is a release recipient of this mailing or of a later one of the same release.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight import problems
from newsletter.delivery.oversight.report import (
    Deferred,
    Report,
    deferred,
    failures,
    report,
    sent_by_transport,
)
from newsletter.delivery.sending.batches import MODULUS, checksum, unpack


@dataclass(frozen=True)
class Finding:
    """The audit of one mailing. `faults` is empty if every check passed."""

    mailing_id: int
    title: str
    state: str
    report: Report
    faults: list[str] = field(default_factory=list)
    reason: str = ""
    """Why readers wait, or didn't get it: codes and a transport's name, never a reader's."""
    next_try: datetime | None = None
    transports: list[tuple[str, int]] = field(default_factory=list)
    """How many emails each transport sent."""
    is_stuck: bool = False
    """Whether it needs somebody's attention: it is held after a refusal, its readers wait because
    all transports are down, or nobody has got it."""

    @property
    def has_failed(self) -> bool:
        return self.is_stuck or self.report.has_failed

    def as_dict(self) -> dict[str, Any]:
        return {
            "mailing": self.mailing_id,
            "title": self.title,
            "state": self.state,
            **self.report.as_dict(),
            "failed_as_a_whole": self.has_failed,
            "reason": self.reason,
            "next_try": self.next_try.isoformat() if self.next_try else None,
            "transports": dict(self.transports),
            "faults": self.faults,
        }


def audit(mailing_id: int | None = None) -> list[Finding]:
    """Audit one mailing, or all of them, oldest first. Only reads."""
    mailings = Mailing.objects.select_related("release__newsletter").order_by("pk")
    if mailing_id is not None:
        mailings = mailings.filter(pk=mailing_id)
    findings = []
    for mailing in mailings:
        with _consistent_reads():
            findings.append(_audit(mailing))
    return findings


@contextmanager
def _consistent_reads() -> Iterator[None]:
    """Read everything as of one moment: workers keep moving readers from batches to outcomes."""
    if connection.in_atomic_block:  # the caller wants to see its own transaction
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield
    else:
        # Not `atomic`, which would take SQLite's only write lock and hold up the senders.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _audit(mailing: Mailing) -> Finding:
    counts = report(mailing)
    faults = [] if mailing.state == Mailing.State.CLOSED else _faults(mailing, counts)
    waiting = deferred(mailing)
    return Finding(
        mailing.pk,
        str(mailing),
        mailing.state,
        counts,
        faults,
        reason=_reason(mailing, waiting),
        next_try=waiting.next_at if waiting else None,
        transports=sent_by_transport(mailing),
        is_stuck=mailing.hold == Mailing.Hold.REFUSED
        or bool(waiting and not counts.sent and not counts.handed_over)
        or bool(waiting and problems.is_outage()),
    )


def _reason(mailing: Mailing, waiting: Deferred | None) -> str:
    if mailing.hold_facts:
        facts = mailing.hold_facts
        return f"{facts['transport']}: {facts['code'] or ''} {facts['status']} ({facts['fault']})"
    if mailing.hold:
        return f"{mailing.get_hold_display()} {mailing.hold_detail}".strip()
    if waiting:
        return waiting.why
    causes = failures(mailing)
    return f"{causes[0].codes} ({causes[0].fault or 'unknown'})" if causes else ""


def _faults(mailing: Mailing, counts: Report) -> list[str]:
    """Return a sentence for each check that fails."""
    waiting = _waiting(mailing)
    settled = _ids(Outcome.objects.filter(mailing_id=mailing.pk))
    recipients = _ids(ReleaseRecipient.objects.filter(mailing_id=mailing.pk))
    found = _compare(recipients, merge(settled, waiting))
    finished = mailing.state == Mailing.State.FINISHED
    checks = [
        (found.readers != (mailing.readers or 0), "the number of readers isn't the stored one"),
        (found.checksum != (mailing.checksum or 0), "the readers don't match the stored checksum"),
        (found.missing, "a recipient has neither an outcome nor a batch"),
        (found.repeated, "a reader is accounted for twice"),
        (
            not _moved_on(mailing, found.strangers),
            "a reader is accounted for who wasn't in the snapshot",
        ),
        (finished and bool(waiting), "it is finished, but readers are waiting"),
        (not counts.balances, "the counts don't add up"),
    ]
    return [fault for failed, fault in checks if failed]


@dataclass
class _Comparison:
    """Recipients compared with the readers accounted for. `readers` and `checksum` are those of
    the latter; `missing` recipients are not accounted for; `strangers` aren't recipients."""

    readers: int = 0
    checksum: int = 0
    strangers: array[int] = field(default_factory=lambda: array("q"))
    missing: bool = False
    repeated: bool = False


def _compare(recipients: Iterable[int], accounted: Iterable[int]) -> _Comparison:
    """Compare two sorted streams of IDs, in constant memory."""
    found = _Comparison()
    expected = iter(recipients)
    current, last = next(expected, None), None
    for reader in accounted:
        found.readers += 1
        found.checksum = (found.checksum + checksum((reader,))) % MODULUS
        if reader == last:
            found.repeated = True
            continue
        last = reader
        while current is not None and current < reader:
            found.missing = True
            current = next(expected, None)
        if current == reader:
            current = next(expected, None)
        else:
            found.strangers.append(reader)
    found.missing = found.missing or current is not None
    return found


def _moved_on(mailing: Mailing, readers: array[int]) -> bool:
    """Return whether each of these readers is now a recipient of a later mailing."""
    if not readers:
        return True
    later = ReleaseRecipient.objects.filter(
        release_id=mailing.release_id, mailing_id__gt=mailing.pk
    )
    return not _compare(readers, _ids(later)).missing


def _ids(rows: QuerySet[ReleaseRecipient] | QuerySet[Outcome]) -> Iterator[int]:
    ids = rows.order_by("subscriber_id").values_list("subscriber_id", flat=True)
    return ids.iterator(chunk_size=10_000)


def _waiting(mailing: Mailing) -> array[int]:
    """Return the IDs in open batches, sorted."""
    waiting = array("q")
    unfinished = Batch.objects.filter(mailing=mailing).exclude(state=Batch.State.CLOSED)
    for packed in unfinished.values_list("reader_ids", flat=True).iterator(chunk_size=500):
        waiting.extend(unpack(packed))
    return array("q", sorted(waiting))

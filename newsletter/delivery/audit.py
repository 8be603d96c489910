"""Accounts for every reader, id by id.

Of each mailing: its outcomes and the readers in its open batches are those that were frozen, by
count and checksum, and nobody is in them twice; whoever Reach says it took is among them; and
whoever is among them is in Reach for it, or was taken on by a later part of the release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from newsletter.delivery.account import Account, account
from newsletter.delivery.models import Batch, Mailing, Outcome, Reach
from newsletter.delivery.packing import checksum, unpack


@dataclass(frozen=True)
class Finding:
    """One mailing's audit. `faults` is empty where everything balances."""

    mailing_id: int
    title: str
    state: str
    account: Account
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
    return [_audit(mailing) for mailing in mailings]


def _audit(mailing: Mailing) -> Finding:
    counts = account(mailing)
    faults = [] if mailing.state == Mailing.State.CLOSED else _faults(mailing, counts)
    return Finding(mailing.pk, str(mailing), mailing.state, counts, faults)


def _faults(mailing: Mailing, counts: Account) -> list[str]:
    """Each sentence names one thing that does not balance."""
    reached = set(_ids(Reach.objects.filter(mailing_id=mailing.pk)))
    waiting = list(_waiting(mailing))
    accounted = [*_ids(Outcome.objects.filter(mailing_id=mailing.pk)), *waiting]
    once = set(accounted)
    checks = [
        (len(accounted) != (mailing.readers or 0), "the stored count is not that of the readers"),
        (checksum(accounted) != (mailing.checksum or 0), "the stored checksum is not theirs"),
        (bool(reached - once), "somebody was forgotten: neither outcome nor batch"),
        (len(accounted) != len(once), "somebody is accounted for twice"),
        (not _went_on(mailing, once - reached), "somebody is accounted for who was not frozen"),
        (mailing.state == Mailing.State.FINISHED and bool(waiting), "finished, but readers wait"),
        (not counts.balances, "the counts do not add up"),
    ]
    return [sentence for fault, sentence in checks if fault]


def _went_on(mailing: Mailing, readers: set[int]) -> bool:
    """Whether a later part of the same release has taken each of these readers."""
    later = Reach.objects.filter(release_id=mailing.release_id, mailing_id__gt=mailing.pk)
    return not readers or readers <= set(_ids(later))


def _ids(rows: QuerySet[Reach] | QuerySet[Outcome]) -> Iterator[int]:
    return rows.values_list("subscriber_id", flat=True).iterator(chunk_size=10_000)


def _waiting(mailing: Mailing) -> Iterator[int]:
    unfinished = Batch.objects.filter(mailing=mailing).exclude(state=Batch.State.CLOSED)
    for packed in unfinished.values_list("reader_ids", flat=True).iterator():
        yield from unpack(packed)

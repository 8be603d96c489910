"""Delivery's part of a reader's data: exported, and erased (B9).

Erasure puts a random negative number in the place of the reader's id, another for each release
and the same in Reach, Outcome, Event and the batches' packed ids; the mailing's checksum is moved
along. So counts and audit stay whole, in the midst of a send-out too, and the rows point to nobody.
Who is in an open batch keeps the position there: the second read finds no such reader, and skips.

Locks are taken in one order with all who write here: release, mailings, batches.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from newsletter.delivery.models import Batch, Event, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.sending.packing import MODULUS, WIDTH, checksum, pack, unpack
from newsletter.transport.outcomes import Result
from subscribers.models import Subscriber

NOBODY = 2**47
"""Below it, as delivery ids have six bytes for a reader."""


def export(subscriber: Subscriber) -> dict[str, Any]:
    """Which releases reached the reader, with what result, and what was reported afterwards."""
    reached = ReleaseRecipient.objects.filter(subscriber_id=subscriber.pk).order_by("release_id")
    names = _names({each.release_id for each in reached})
    return {
        "releases": [
            {**names[each.release_id], "results": _results(each.release_id, subscriber.pk)}
            for each in reached
            if each.release_id in names
        ],
        "events": [
            {"kind": event.kind, "on": event.on.isoformat()}
            for event in Event.objects.filter(subscriber_id=subscriber.pk).order_by("pk")
        ],
    }


def _names(releases: Iterable[int]) -> dict[int, dict[str, str]]:
    found = Release.objects.filter(pk__in=releases).select_related("newsletter")
    return {each.pk: {"newsletter": each.newsletter.slug, "period": each.period} for each in found}


def _results(release_id: int, reader: int) -> list[str]:
    mailings = Mailing.objects.filter(release=release_id).values("pk")
    outcomes = Outcome.objects.filter(mailing_id__in=mailings, subscriber_id=reader)
    results = outcomes.order_by("mailing_id").values_list("result", flat=True)
    return [Result(result).name.lower() for result in results] or ["waiting"]


@transaction.atomic
def erase(subscriber: Subscriber) -> None:
    """Leave nothing of the reader in what was sent, and in what is being sent.

    A freeze that took the reader but has not committed is waited for. One that began meanwhile may
    have read the reader still: it is looked for again once the erasure is committed.
    """
    reader = subscriber.pk
    transaction.on_commit(lambda: forget(reader))
    forget(reader)


@transaction.atomic
def forget(reader: int) -> None:
    """Put nobody in the place of a reader's id, in every release."""
    preparing = Mailing.objects.filter(state=Mailing.State.PREPARING).values("release")
    list(Release.objects.select_for_update().filter(pk__in=preparing).order_by("pk"))
    taken = ReleaseRecipient.objects.filter(subscriber_id=reader).values_list(
        "release_id", flat=True
    )
    for release_id in sorted(taken):
        _forget_in(release_id, reader, -1 - secrets.randbelow(NOBODY - 1))
    Event.objects.filter(subscriber_id=reader).update(subscriber_id=None)


def _forget_in(release_id: int, reader: int, nobody: int) -> None:
    # Not the key: a batch that ends meanwhile refers to its mailing in its successor.
    rows = Mailing.objects.select_for_update(no_key=True).filter(release=release_id)
    checksums = dict(rows.order_by("pk").values_list("pk", "checksum"))
    mailings = list(checksums)
    batches = _locked_batches(mailings, reader)
    for batch in batches:
        ids = [nobody if each == reader else each for each in unpack(batch.reader_ids)]
        Batch.objects.filter(pk=batch.pk).update(reader_ids=pack(ids))
    outcomes = Outcome.objects.filter(mailing_id__in=mailings, subscriber_id=reader)
    # Counted once in each mailing: by the outcome, or by the batch that waits.
    counted = {batch.mailing_id for batch in batches}
    counted.update(outcomes.values_list("mailing_id", flat=True))
    outcomes.update(subscriber_id=nobody)
    ReleaseRecipient.objects.filter(release_id=release_id, subscriber_id=reader).update(
        subscriber_id=nobody
    )
    Event.objects.filter(mailing_id__in=mailings, subscriber_id=reader).update(subscriber_id=nobody)
    for pk in counted:
        moved = (checksums[pk] or 0) - checksum([reader]) + checksum([nobody])
        Mailing.objects.filter(pk=pk).update(checksum=moved % MODULUS)


def _locked_batches(mailings: list[int], reader: int) -> list[Batch]:
    """Every batch that holds the reader, locked: the one that is open or has the outcome, and
    those that it goes on from.

    A batch may end between being found and being locked, its successor then holds the reader: so
    it is looked for until nothing new is found. A locked batch can neither end nor be recorded.
    """
    locked: dict[int, Batch] = {}
    while True:
        found = _batches_with(mailings, reader) - locked.keys()
        if not found:
            break
        rows = Batch.objects.select_for_update(of=("self",)).filter(pk__in=found).order_by("pk")
        locked |= {batch.pk: batch for batch in rows}
    return [batch for batch in locked.values() if reader in unpack(batch.reader_ids)]


def _batches_with(mailings: list[int], reader: int) -> set[int]:
    outcomes = Outcome.objects.filter(mailing_id__in=mailings, subscriber_id=reader)
    found = {pk for pk in outcomes.values_list("batch_id", flat=True) if pk is not None}
    unfinished = Batch.objects.filter(mailing__in=mailings).exclude(state=Batch.State.CLOSED)
    found.update(_holding(unfinished.values_list("pk", "reader_ids").iterator(), reader))
    earlier = set(found)
    while earlier:
        before = Batch.objects.filter(Q(successor__in=earlier)).values_list("pk", flat=True)
        earlier = set(before) - found
        found |= earlier
    return found


def _holding(rows: Iterable[tuple[int, Any]], reader: int) -> Iterable[int]:
    wanted = pack([reader])
    for pk, packed in rows:
        ids = bytes(packed)
        at = ids.find(wanted)
        # A hit between two ids is none.
        while at >= 0 and at % WIDTH:
            at = ids.find(wanted, at + 1)
        if at >= 0:
            yield pk

"""Export and erase what delivery stores about a reader (B9).

Erasure replaces the reader's ID with a random negative number, different for each release but the
same in ReleaseRecipient, Outcome, Event and the batches' packed IDs, and adjusts the mailing's
checksum. Counts and the audit stay intact, even during a mailing, and the rows no longer identify
anyone. In an open batch the reader's position stays: the second read finds no such reader, and the
sender skips it.

Everything that writes these rows takes its locks in the same order: release, mailings, batches.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction

from newsletter.delivery.models import (
    Batch,
    Event,
    Mailing,
    Outcome,
    ProviderMessage,
    Release,
    ReleaseRecipient,
)
from newsletter.delivery.sending.batches import MODULUS, WIDTH, checksum, pack, unpack
from newsletter.transport.outcomes import Result
from subscribers.models import Subscriber

MAX_ID = 2**47
"""Delivery IDs have six bytes for a reader."""


def export(subscriber: Subscriber) -> dict[str, Any]:
    """Return the releases sent to the reader with their results, and what was reported later."""
    received = ReleaseRecipient.objects.filter(subscriber_id=subscriber.pk).values("release_id")
    releases = Release.objects.select_related("newsletter").filter(pk__in=received).order_by("pk")
    events = Event.objects.filter(subscriber_id=subscriber.pk).order_by("pk")
    return {
        "releases": [
            {
                "newsletter": release.newsletter.slug,
                "period": release.period,
                "results": _results(release, subscriber.pk),
            }
            for release in releases
        ],
        "events": [{"kind": event.kind, "on": event.on.isoformat()} for event in events],
    }


def _results(release: Release, reader: int) -> list[str]:
    mailings = release.mailings.values("pk")
    outcomes = Outcome.objects.filter(mailing_id__in=mailings, subscriber_id=reader)
    results = outcomes.order_by("mailing_id").values_list("result", flat=True)
    return [Result(result).name.lower() for result in results] or ["waiting"]


@transaction.atomic
def erase(subscriber: Subscriber) -> None:
    """Replace the reader's ID in all past and current mailings.

    This waits for a snapshot that has taken the reader and not committed yet. A snapshot that
    starts during the erasure may still have read the reader, so the replacement is repeated once
    the erasure has committed.
    """
    reader = subscriber.pk
    transaction.on_commit(lambda: replace_id(reader))
    replace_id(reader)


@transaction.atomic
def replace_id(reader: int) -> None:
    """Replace a reader's ID with a random negative number in every release."""
    preparing = Mailing.objects.filter(state=Mailing.State.PREPARING).values("release")
    list(Release.objects.select_for_update().filter(pk__in=preparing).order_by("pk"))
    releases = ReleaseRecipient.objects.filter(subscriber_id=reader)
    for release_id in sorted(releases.values_list("release_id", flat=True)):
        _replace_in_release(release_id, reader, -1 - secrets.randbelow(MAX_ID - 1))
    Event.objects.filter(subscriber_id=reader).update(subscriber_id=None)
    ProviderMessage.objects.filter(subscriber_id=reader).delete()


def _replace_in_release(release_id: int, reader: int, new_id: int) -> None:
    # FOR NO KEY UPDATE: a batch that ends at the same time inserts a successor, whose foreign key
    # to the mailing would otherwise have to wait.
    rows = Mailing.objects.select_for_update(no_key=True).filter(release=release_id)
    checksums = dict(rows.order_by("pk").values_list("pk", "checksum"))
    mailings = list(checksums)
    batches = _lock_batches(mailings, reader)
    for batch in batches:
        ids = [new_id if each == reader else each for each in unpack(batch.reader_ids)]
        Batch.objects.filter(pk=batch.pk).update(reader_ids=pack(ids))
    outcomes = Outcome.objects.filter(mailing_id__in=mailings, subscriber_id=reader)
    # A mailing's checksum counts the reader once, by the outcome or by the open batch.
    counted = {batch.mailing_id for batch in batches}
    counted.update(outcomes.values_list("mailing_id", flat=True))
    outcomes.update(subscriber_id=new_id)
    ReleaseRecipient.objects.filter(release_id=release_id, subscriber_id=reader).update(
        subscriber_id=new_id
    )
    Event.objects.filter(mailing_id__in=mailings, subscriber_id=reader).update(subscriber_id=new_id)
    for pk in counted:
        adjusted = (checksums[pk] or 0) - checksum([reader]) + checksum([new_id])
        Mailing.objects.filter(pk=pk).update(checksum=adjusted % MODULUS)


def _lock_batches(mailings: list[int], reader: int) -> list[Batch]:
    """Lock and return every batch that contains the reader, with its predecessors.

    A batch may end after it was found and before it is locked, and its successor then contains the
    reader. The search is therefore repeated until it finds nothing new. A locked batch can't end.
    """
    locked: dict[int, Batch] = {}
    while found := _batches_with(mailings, reader) - locked.keys():
        rows = Batch.objects.select_for_update(of=("self",)).filter(pk__in=found).order_by("pk")
        locked |= {batch.pk: batch for batch in rows}
    return [batch for batch in locked.values() if reader in unpack(batch.reader_ids)]


def _batches_with(mailings: list[int], reader: int) -> set[int]:
    outcomes = Outcome.objects.filter(mailing_id__in=mailings, subscriber_id=reader)
    found = {pk for pk in outcomes.values_list("batch_id", flat=True) if pk is not None}
    unfinished = Batch.objects.filter(mailing__in=mailings).exclude(state=Batch.State.CLOSED)
    found.update(_batches_containing(unfinished.values_list("pk", "reader_ids").iterator(), reader))
    earlier = set(found)
    while earlier:
        predecessors = Batch.objects.filter(successor__in=earlier).values_list("pk", flat=True)
        earlier = set(predecessors) - found
        found |= earlier
    return found


def _batches_containing(rows: Iterable[tuple[int, Any]], reader: int) -> Iterator[int]:
    """Yield the IDs of the batches whose packed reader IDs contain the reader."""
    wanted = pack([reader])
    for pk, packed in rows:
        ids = bytes(packed)
        at = ids.find(wanted)
        # A match that straddles two IDs doesn't count.
        while at >= 0 and at % WIDTH:
            at = ids.find(wanted, at + 1)
        if at >= 0:
            yield pk

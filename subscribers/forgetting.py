"""What waits in the inbox from a reader who is erased is erased too (B9).

The web process, which erases, cannot open what waits: it leaves a sealed note with the reader's
index, and the worker that opens the note looks through what arrived before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from subscribers.addresses import AddressError, normalise
from subscribers.models import Inbox
from subscribers.sealing import Index, Sealed, SealedError, indexes_of, open_arrival, seal_arrival


def ask(index: Index) -> None:
    """Leave the note; part of the erasure's transaction."""
    note = {"index": index.value.hex(), "before": timezone.now().isoformat()}
    sealed = seal_arrival(note)
    Inbox.objects.create(kind=Inbox.Kind.FORGET, sealed=sealed.value, sealing_key=sealed.key)


def forget_arrivals(note: dict[str, Any]) -> None:
    """Delete what arrived from this reader before the note. Needs a worker's keys."""
    index = bytes.fromhex(note["index"])
    before = datetime.fromisoformat(note["before"])
    waiting = Inbox.objects.filter(received_at__lte=before).exclude(kind=Inbox.Kind.FORGET)
    for arrival in waiting.iterator():
        if index in _indexes_in(arrival):
            arrival.delete()


def _indexes_in(arrival: Inbox) -> set[bytes]:
    """The indexes of the address in an arrival; none where it cannot be opened, or has none."""
    try:
        data = open_arrival(Sealed(arrival.sealing_key, bytes(arrival.sealed)))
        address = normalise(data["address"])
    except (SealedError, AddressError, KeyError):
        return set()
    return {each.value for each in indexes_of(address)}

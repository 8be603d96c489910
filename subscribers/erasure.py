"""What waits in the inbox from a reader who is erased is erased too (B9).

The web process, which erases, cannot open what waits: it leaves a sealed note with the reader's
index, and the worker that opens the note looks through what arrived before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from subscribers.addresses import AddressError, normalise
from subscribers.crypto.sealing import (
    AddressHash,
    Sealed,
    SealedError,
    address_hashes,
    open_arrival,
    seal_arrival,
)
from subscribers.models import Intake


def leave_erasure_note(index: AddressHash) -> None:
    """Leave the note; part of the erasure's transaction."""
    note = {"index": index.value.hex(), "before": timezone.now().isoformat()}
    sealed = seal_arrival(note)
    Intake.objects.create(kind=Intake.Kind.FORGET, sealed=sealed.value, sealing_key=sealed.key)


def erase_arrivals(note: dict[str, Any]) -> None:
    """Delete what arrived from this reader before the note. Needs a worker's keys."""
    index = bytes.fromhex(note["index"])
    before = datetime.fromisoformat(note["before"])
    waiting = Intake.objects.filter(received_at__lte=before).exclude(kind=Intake.Kind.FORGET)
    for arrival in waiting.iterator():
        if index in _indexes_in(arrival):
            arrival.delete()


def _indexes_in(arrival: Intake) -> set[bytes]:
    """The indexes of the address in an arrival; none where it cannot be opened, or has none."""
    try:
        data = open_arrival(Sealed(arrival.sealing_key, bytes(arrival.sealed)))
        address = normalise(data["address"])
    except (SealedError, AddressError, KeyError):
        return set()
    return {each.value for each in address_hashes(address)}

"""Rotation: what is sealed or indexed under an older key is written anew under the one in use.

In portions, each a transaction of its own; stopped at any point, the next begins with what is left:
a row says itself which keys it carries. It goes on while issues are sent: an address opens under
the key that its row names, and a row that somebody else changed meanwhile is left for the next
portion (a conditional update). An erased reader's index cannot be computed again, so older index
keys stay for looking up suppressions, and `index_known` asks under each.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from newsletter.lib.keys import WorkerKeys, current_key
from subscribers import addresses
from subscribers.addresses import Address
from subscribers.crypto.sealing import (
    AddressHash,
    Sealed,
    SealedError,
    address_hash,
    address_hashes,
    fresh_worker_keys,
    open_address,
    seal_address,
)
from subscribers.models import Intake, Subscriber, Suppression

log = logging.getLogger(__name__)
PORTION = 500
COLUMNS = ("pk", "public_id", "storage_key", "sealed_address", "address_hash_key", "address_hash")


@dataclass(frozen=True)
class Progress:
    """What a step came to: rows written anew, and rows that could not be."""

    done: int = 0
    stuck: int = 0


def left() -> int:
    """How many readers carry a key that is not the one in use."""
    return _outdated(fresh_worker_keys()).count()


def step(limit: int) -> Progress:
    """Write up to about `limit` readers anew; costs one indexed query where nothing is left.

    Does nothing in a process that holds no worker keys.
    """
    if settings.WORKER_KEYS is None:
        return Progress()
    done = stuck = last = 0
    while done < limit:
        rows = list(
            _outdated(fresh_worker_keys())
            .filter(pk__gt=last)
            .order_by("pk")
            .values_list(*COLUMNS)[: min(PORTION, limit - done)]
        )
        if not rows:
            break
        last = rows[-1][0]
        written = _write_anew(rows)
        done += written
        stuck += len(rows) - written
    if done or stuck:
        log.info("rotate", extra={"done": done, "stuck": stuck})
    return Progress(done, stuck)


def _outdated(keys: WorkerKeys) -> QuerySet[Subscriber]:
    """Readers under a key that is held, but not in use. One that is not held cannot be helped."""
    storage, index = current_key(keys.storage)[0], current_key(keys.index)[0]
    return Subscriber.objects.filter(
        Q(storage_key__in=[number for number in keys.storage if number != storage])
        | Q(address_hash_key__in=[number for number in keys.index if number != index])
    )


@dataclass(frozen=True)
class _Change:
    pk: int
    before: tuple[int, bytes, bytes]
    """Storage key, sealed address and index as they were read."""
    sealed: Sealed
    index: AddressHash


@transaction.atomic
def _write_anew(rows: Sequence[tuple[Any, ...]]) -> int:
    changes = [change for change in map(_change, rows) if change is not None]
    taken = _indexes_of_others(changes)
    changes = [change for change in changes if change.index.value not in taken]
    _move_suppressions(changes)
    parameters = [
        (c.sealed.value, c.sealed.key, c.index.value, c.index.key, c.pk, *c.before) for c in changes
    ]
    if not parameters:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE subscribers_subscriber SET sealed_address = %s, storage_key = %s, address_hash = %s,"
            " address_hash_key = %s WHERE id = %s AND storage_key = %s AND sealed_address = %s"
            " AND address_hash = %s",
            parameters,
        )
        return int(cursor.rowcount)


def _change(row: tuple[Any, ...]) -> _Change | None:
    pk, public_id, storage_key, stored, _index_key, index = row
    try:
        mail = open_address(Sealed(storage_key, bytes(stored)), public_id)
    except SealedError as error:
        log.error("reader-cannot-be-opened", extra={"reader": pk, "error": error})
        return None
    address = addresses.stored(mail)
    before = (storage_key, bytes(stored), bytes(index))
    return _Change(pk, before, seal_address(address, public_id), address_hash(address))


def _indexes_of_others(changes: Sequence[_Change]) -> set[bytes]:
    """New indexes that another row has: the same address was added twice, at the same moment, by
    processes with different keys. Told, and left to a person."""
    wanted = [change.index.value for change in changes]
    own = {change.pk for change in changes}
    found = Subscriber.objects.filter(address_hash__in=wanted).exclude(pk__in=own)
    taken = {bytes(index) for index in found.values_list("address_hash", flat=True)}
    if taken:
        log.error("readers-are-there-twice", extra={"readers": len(taken)})
    return taken


def _move_suppressions(changes: Sequence[_Change]) -> None:
    """A suppression goes along with its reader's index."""
    new = {change.before[2]: change.index for change in changes}
    for suppression in Suppression.objects.filter(address_hash__in=list(new)):
        index = new[bytes(suppression.address_hash)]
        _rehash_suppression(bytes(suppression.address_hash), index)


# --- Looking up -------------------------------------------------------------------------------
@transaction.atomic
def current_hash_of(address: Address) -> AddressHash:
    """The index of an address under the key in use, by which whatever is known of it is found:
    rows that carry its index under an older key are moved to this one first."""
    current, *older = address_hashes(address)
    for index in older:
        if index.value == current.value:
            continue
        _rehash_suppression(index.value, current)
        if not Subscriber.objects.filter(address_hash=current.value).exists():
            Subscriber.objects.filter(address_hash=index.value).update(
                address_hash=current.value, address_hash_key=current.key
            )
    return current


def _rehash_suppression(before: bytes, index: AddressHash) -> None:
    """Move one suppression; where there is one already, the stronger reason stays."""
    if before == index.value:
        return
    old = Suppression.objects.filter(address_hash=before).first()
    if old is None:
        return
    there = Suppression.objects.filter(address_hash=index.value).first()
    if there is None:
        Suppression.objects.filter(pk=old.pk).update(
            address_hash=index.value, address_hash_key=index.key
        )
        return
    if STRENGTH[old.reason] < STRENGTH[there.reason]:
        Suppression.objects.filter(pk=there.pk).update(reason=old.reason)
    old.delete()


STRENGTH = {
    Suppression.Reason.COMPLAINED.value: 0,
    Suppression.Reason.BOUNCED.value: 1,
    Suppression.Reason.ERASED.value: 2,
}


# --- Retiring ---------------------------------------------------------------------------------
def carrying(purpose: str, number: int) -> int:
    """How many rows still need a key: it may be retired at none."""
    match purpose:
        case "storage":
            return Subscriber.objects.filter(storage_key=number).count()
        case "index":
            readers = Subscriber.objects.filter(address_hash_key=number).count()
            return readers + Suppression.objects.filter(address_hash_key=number).count()
        case "sealing":
            return Intake.objects.filter(sealing_key=number).count()
    raise ValueError(purpose)

"""Rotate keys: rewrite what is encrypted or hashed with an older key.

Each portion is a transaction, and each row names its keys, so a rotation that stops continues with
the rows that remain. It runs while issues are sent: an address opens with the key that its row
names, and a row that changed in between is left for the next portion (a conditional update). An
erased reader's hash can't be recomputed, so older hash keys stay for finding suppressions.
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
from subscribers.addresses import Address, parse_stored
from subscribers.crypto.sealing import (
    AddressHash,
    Ciphertext,
    SealedError,
    address_hash,
    address_hashes,
    open_address,
    seal_address,
    worker_keys,
)
from subscribers.models import Intake, Subscriber, Suppression

log = logging.getLogger(__name__)
PORTION = 500
COLUMNS = ("pk", "public_id", "storage_key", "sealed_address", "address_hash")


@dataclass(frozen=True)
class RotationResult:
    """How many rows were rewritten, and how many couldn't be."""

    done: int = 0
    stuck: int = 0


def remaining() -> int:
    """Return how many readers have an older key."""
    return _outdated(worker_keys().fresh()).count()


def rotate(limit: int) -> RotationResult:
    """Rewrite up to `limit` readers. Costs one indexed query if none is left. Does nothing in a
    process without worker keys."""
    if settings.WORKER_KEYS is None:
        return RotationResult()
    done = stuck = last = 0
    while done < limit:
        outdated = _outdated(worker_keys().fresh()).filter(pk__gt=last).order_by("pk")
        rows = list(outdated.values_list(*COLUMNS)[: min(PORTION, limit - done)])
        if not rows:
            break
        last = rows[-1][0]
        rewritten = _rewrite(rows)
        done += rewritten
        stuck += len(rows) - rewritten
    if done or stuck:
        log.info("rotate", extra={"done": done, "stuck": stuck})
    return RotationResult(done, stuck)


def _outdated(keys: WorkerKeys) -> QuerySet[Subscriber]:
    """Select readers under a key that this process has but no longer uses."""
    storage, hashing = current_key(keys.storage)[0], current_key(keys.index)[0]
    return Subscriber.objects.filter(
        Q(storage_key__in=set(keys.storage) - {storage})
        | Q(address_hash_key__in=set(keys.index) - {hashing})
    )


@dataclass(frozen=True)
class _Change:
    pk: int
    before: tuple[int, bytes, bytes]
    """Storage key, encrypted address and address hash as they were read."""
    sealed: Ciphertext
    hashed: AddressHash


@transaction.atomic
def _rewrite(rows: Sequence[tuple[Any, ...]]) -> int:
    changes = [change for change in map(_change, rows) if change is not None]
    taken = _hashes_of_others(changes)
    changes = [change for change in changes if change.hashed.digest not in taken]
    if not changes:
        return 0
    new = {change.before[2]: change.hashed for change in changes}
    for suppression in Suppression.objects.filter(address_hash__in=list(new)):
        _rehash_suppression(suppression, new[bytes(suppression.address_hash)])
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE subscribers_subscriber SET storage_key = %s, sealed_address = %s,"
            " address_hash_key = %s, address_hash = %s WHERE id = %s AND storage_key = %s"
            " AND sealed_address = %s AND address_hash = %s",
            [(*change.sealed, *change.hashed, change.pk, *change.before) for change in changes],
        )
        return int(cursor.rowcount)


def _change(row: tuple[Any, ...]) -> _Change | None:
    pk, public_id, storage_key, sealed, digest = row
    before = (storage_key, bytes(sealed), bytes(digest))
    try:
        address = parse_stored(open_address(Ciphertext(*before[:2]), public_id))
    except SealedError as error:
        log.error("reader-cannot-be-opened", extra={"reader": pk, "error": error})
        return None
    return _Change(pk, before, seal_address(address, public_id), address_hash(address))


def _hashes_of_others(changes: Sequence[_Change]) -> set[bytes]:
    """Return the new hashes that another row has. Processes with different keys added the same
    address at the same time; it's logged and left to a person."""
    found = Subscriber.objects.filter(address_hash__in=[c.hashed.digest for c in changes])
    others = found.exclude(pk__in=[change.pk for change in changes])
    taken = {bytes(digest) for digest in others.values_list("address_hash", flat=True)}
    if taken:
        log.error("duplicate-readers", extra={"readers": len(taken)})
    return taken


# --- Looking up -------------------------------------------------------------------------------
@transaction.atomic
def current_hash_of(address: Address) -> AddressHash:
    """Return the address's hash under the key in use, after moving its rows from older keys."""
    current, *older = address_hashes(address)
    for hashed in older:
        if hashed.digest == current.digest:
            continue
        for suppression in Suppression.objects.filter(address_hash=hashed.digest):
            _rehash_suppression(suppression, current)
        if not Subscriber.objects.filter(address_hash=current.digest).exists():
            Subscriber.objects.filter(address_hash=hashed.digest).update(
                address_hash=current.digest, address_hash_key=current.key_number
            )
    return current


def _rehash_suppression(old: Suppression, hashed: AddressHash) -> None:
    """Move a suppression to another hash. If one exists there, the stronger reason stays."""
    if bytes(old.address_hash) == hashed.digest:
        return
    existing = Suppression.objects.filter(address_hash=hashed.digest).first()
    if existing is None:
        Suppression.objects.filter(pk=old.pk).update(
            address_hash=hashed.digest, address_hash_key=hashed.key_number
        )
        return
    if Suppression.stronger(old.reason, existing.reason):
        Suppression.objects.filter(pk=existing.pk).update(reason=old.reason)
    old.delete()


# --- Retiring ---------------------------------------------------------------------------------
def rows_using_key(purpose: str, number: int) -> int:
    """Return how many rows need a key. It may be retired once none does."""
    match purpose:
        case "storage":
            return Subscriber.objects.filter(storage_key=number).count()
        case "index":
            readers = Subscriber.objects.filter(address_hash_key=number).count()
            return readers + Suppression.objects.filter(address_hash_key=number).count()
        case "sealing":
            return Intake.objects.filter(sealing_key=number).count()
    raise ValueError(purpose)

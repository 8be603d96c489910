"""Stop a process whose keys don't belong to this database, before it does harm.

An address encrypted with a wrong key is lost, one hashed with it exists twice, and a link signed
with it opens nothing. So each key leaves a mark when it is first used with a database, and every
process compares its keys with the marks when it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b

from django.conf import settings
from django.db import DatabaseError, connection

from newsletter.lib.key_documents import mismatched_sealing_keys, public_key_of
from newsletter.lib.keys import WebKeys, WorkerKeys
from subscribers.models import KeyCheck

KeyPurpose = KeyCheck.Purpose
Marks = Mapping[tuple[str, int], bytes]
"""(purpose, key number) -> mark of 16 bytes."""


class CannotCompareError(Exception):
    """The database can't be read, so the keys can't be compared."""


def key_marks(web: WebKeys, worker: WorkerKeys | None) -> dict[tuple[str, int], bytes]:
    """Return the mark of each key. Pure. The mark of a sealing key is that of its public half, so
    web and worker have the same."""
    rings: list[tuple[str, Mapping[int, bytes]]] = [
        (KeyPurpose.TOKENS, web.tokens),
        (KeyPurpose.SEALING, web.sealing),
    ]
    if worker is not None:
        opening = {number: public_key_of(key) for number, key in worker.opening.items()}
        rings += [
            (KeyPurpose.SEALING, opening),
            (KeyPurpose.INDEX, worker.index),
            (KeyPurpose.STORAGE, worker.storage),
        ]
    return {
        (str(purpose), number): _mark(purpose, key)
        for purpose, ring in rings
        for number, key in ring.items()
    }


def _mark(purpose: str, key: bytes) -> bytes:
    return blake2b(b"tydzen key check", key=key, digest_size=16, person=purpose.encode()).digest()


def mismatches(web: WebKeys, worker: WorkerKeys | None, stored: Marks) -> list[str]:
    """Return one sentence for each key that doesn't fit the stored marks. Pure."""
    found = [
        f"sealing {number}: WEB_KEYS and WORKER_KEYS hold halves of different pairs"
        for number in (mismatched_sealing_keys(web, worker) if worker else [])
    ]
    own = key_marks(web, worker)
    given = {purpose for purpose, _number in own}
    for (purpose, number), mark in sorted(stored.items()):
        if purpose not in given:
            continue  # this process doesn't have the set
        if worker is None and purpose == KeyPurpose.SEALING and (purpose, number) not in own:
            continue  # the web process needs only the key that it encrypts with
        if (purpose, number) not in own:
            found.append(f"{purpose} {number}: this key, which the database needs, is not there")
        elif own[purpose, number] != mark:
            found.append(f"{purpose} {number}: not the key that this database was written with")
    return found


def check() -> list[str]:
    """Compare this process's keys with the database; return the mismatches. If there are none,
    store the marks of new keys. Returns nothing if the table doesn't exist yet.

    Raises CannotCompareError if the database can't be read.
    """
    web, worker = settings.WEB_KEYS.fresh(), settings.WORKER_KEYS and settings.WORKER_KEYS.fresh()
    try:
        if KeyCheck._meta.db_table not in connection.introspection.table_names():
            return []
        stored = stored_marks()
    except DatabaseError as error:
        raise CannotCompareError(type(error).__name__) from error
    found = mismatches(web, worker, stored)
    if not found:
        # A process without permission to write compares its keys all the same.
        with suppress(DatabaseError):
            KeyCheck.objects.bulk_create(
                [
                    KeyCheck(purpose=purpose, number=number, mark=mark)
                    for (purpose, number), mark in key_marks(web, worker).items()
                    if (purpose, number) not in stored
                ],
                ignore_conflicts=True,
            )
    return found


def stored_marks() -> dict[tuple[str, int], bytes]:
    """Return the marks in the database."""
    rows = KeyCheck.objects.values_list("purpose", "number", "mark")
    return {(purpose, number): bytes(mark) for purpose, number, mark in rows}


def delete_mark(purpose: str, number: int) -> None:
    """Delete the mark of a retired key."""
    KeyCheck.objects.filter(purpose=purpose, number=number).delete()

"""The canary: a process with a key that is not this database's is told so before it does harm.

An address sealed under a wrong key is lost, one indexed under it is there twice, and a link signed
with it opens nothing. So each key leaves a mark when it is first used on a database, and whoever
starts later is held against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b

from django.conf import settings
from django.db import DatabaseError, connection

from newsletter.lib.key_documents import mismatched_sealing_keys, public_key_of
from newsletter.lib.keys import WebKeys, WorkerKeys
from subscribers.models import KeyCanary

Purpose = KeyCanary.Purpose
Marks = Mapping[tuple[str, int], bytes]


class CannotCompareError(Exception):
    """The database could not be asked, so nothing is known about the keys."""


def key_marks(web: WebKeys, worker: WorkerKeys | None) -> dict[tuple[str, int], bytes]:
    """(purpose, number) -> mark of 16 bytes, for each key that was given. Pure.

    A sealing key is marked by its public half, so that web and worker are held against the same.
    """
    rings: list[tuple[str, Mapping[int, bytes]]] = [
        (Purpose.TOKENS, web.tokens),
        (Purpose.SEALING, web.sealing),
    ]
    if worker is not None:
        opened = {number: public_key_of(key) for number, key in worker.opening.items()}
        rings += [
            (Purpose.SEALING, opened),
            (Purpose.INDEX, worker.index),
            (Purpose.STORAGE, worker.storage),
        ]
    return {
        (str(purpose), number): _mark(purpose, key)
        for purpose, ring in rings
        for number, key in ring.items()
    }


def _mark(purpose: str, key: bytes) -> bytes:
    return blake2b(b"tydzen canary", key=key, digest_size=16, person=purpose.encode()).digest()


def mismatches(web: WebKeys, worker: WorkerKeys | None, stored: Marks) -> list[str]:
    """What is wrong with these keys for a database with these marks; a sentence each. Pure."""
    found = [
        f"sealing {number}: WEB_KEYS and WORKER_KEYS hold halves of different pairs"
        for number in (mismatched_sealing_keys(web, worker) if worker else [])
    ]
    own = key_marks(web, worker)
    given = {purpose for purpose, _number in own}
    for (purpose, number), mark in sorted(stored.items()):
        if purpose not in given:
            continue  # nothing of this process's set
        if worker is None and purpose == Purpose.SEALING and (purpose, number) not in own:
            continue  # the web process seals under the key that it has
        if (purpose, number) not in own:
            found.append(f"{purpose} {number}: this key, which the database needs, is not there")
        elif own[purpose, number] != mark:
            found.append(f"{purpose} {number}: not the key that this database was written with")
    return found


def check() -> list[str]:
    """What is wrong with this process's keys for this database; where nothing is, keys that are
    new to it leave their mark. Silent if the table does not exist yet.

    Raises CannotCompareError if the database cannot be read.
    """
    web, worker = settings.WEB_KEYS.fresh(), settings.WORKER_KEYS and settings.WORKER_KEYS.fresh()
    try:
        if KeyCanary._meta.db_table not in connection.introspection.table_names():
            return []
        stored = stored_marks()
    except DatabaseError as error:
        raise CannotCompareError(type(error).__name__) from error
    found = mismatches(web, worker, stored)
    if not found:
        # A database that this process may not write to is compared all the same.
        with suppress(DatabaseError):
            store_marks(web, worker, stored)
    return found


def stored_marks() -> dict[tuple[str, int], bytes]:
    """The marks that are stored."""
    rows = KeyCanary.objects.values_list("purpose", "number", "mark")
    return {(purpose, number): bytes(mark) for purpose, number, mark in rows}


def store_marks(web: WebKeys, worker: WorkerKeys | None, stored: Marks) -> None:
    """Store the marks of keys that have none."""
    new = [
        KeyCanary(purpose=purpose, number=number, mark=mark)
        for (purpose, number), mark in key_marks(web, worker).items()
        if (purpose, number) not in stored
    ]
    if new:
        KeyCanary.objects.bulk_create(new, ignore_conflicts=True)


def delete_mark(purpose: str, number: int) -> None:
    """A key was retired: no process needs it any more."""
    KeyCanary.objects.filter(purpose=purpose, number=number).delete()

"""Exports for the newsroom: the readers of a newsletter, and the evidence of their consent (B8).

An export is sealed for one recipient, whose public key is fixed in the configuration of the host
that holds the worker's keys, in portions, so that memory stays flat. The file is `MAGIC`, then for
each portion its length (4 bytes, big-endian) and a libsodium sealed box around: its number (4
bytes), whether it is the last (1 byte), text in UTF-8. A portion that is missing is told.
"""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from django.db.models import QuerySet
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from newsletter.editorial.models import Newsletter
from newsletter.lib.fields import join_chain, join_topics
from subscribers.models import Consent, Subscription
from subscribers.sealing import Sealed, open_address, worker_keys

MAGIC = b"TYDZEN-EXPORT-1\n"
LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">I?")
PORTION = 5000
COLUMNS = ("address", "languages", "page_language", "topics", "rhythm", "confirmed_on", "source")


class ExportFault(Exception):  # noqa: N818 - names the condition
    """A file that cannot be opened; the text says why."""


def active(newsletter: Newsletter) -> QuerySet[Subscription]:
    """Those whose addresses an export holds."""
    return Subscription.objects.filter(newsletter=newsletter, state=Subscription.State.ACTIVE)


def readers(newsletter: Newsletter) -> Iterator[str]:
    """Lines of CSV, a head first: the active readers. Raises SealedError without worker keys."""
    worker_keys()
    yield _csv(COLUMNS)
    rows = (
        active(newsletter)
        .order_by("pk")
        .values_list(
            "subscriber__public_id",
            "subscriber__storage_key",
            "subscriber__sealed_address",
            "languages",
            "subscriber__language",
            "topics",
            "rhythm",
            "confirmed_on",
            "source",
        )
    )
    for public_id, key, sealed, languages, page_language, topics, *choices in rows.iterator(
        chunk_size=PORTION
    ):
        address = open_address(Sealed(key, bytes(sealed)), public_id)
        yield _csv([address, join_chain(languages), page_language, join_topics(topics), *choices])


def consents(newsletter: Newsletter) -> Iterator[str]:
    """JSON Lines: each piece of evidence, by the reader's random id, without address."""
    rows = (
        Consent.objects.filter(subscription__newsletter=newsletter)
        .order_by("pk")
        .values_list(
            "subscription__subscriber__public_id",
            "action",
            "wording",
            "wording_version",
            "language",
            "source",
            "at",
        )
    )
    for public_id, action, wording, version, language, source, at in rows.iterator():
        line = {
            "reader": str(public_id),
            "action": action,
            "wording": wording,
            "version": version,
            "language": language,
            "source": source,
            "at": at.isoformat(timespec="minutes"),
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"


def seal_lines(lines: Iterable[str], recipient: bytes, file: BinaryIO) -> int:
    """Write the lines sealed for `recipient` (an X25519 public key); returns how many."""
    box = SealedBox(PublicKey(recipient))
    file.write(MAGIC)
    source = iter(lines)
    count = number = 0
    while True:
        portion = list(islice(source, PORTION))
        is_last = len(portion) < PORTION
        text = "".join(portion).encode()
        sealed = box.encrypt(HEAD.pack(number, is_last) + text)
        file.write(LENGTH.pack(len(sealed)) + sealed)
        count += len(portion)
        number += 1
        if is_last:
            return count


def open_lines(file: BinaryIO, private: bytes) -> Iterator[str]:
    """The text of an export, portion by portion. Raises ExportFault, ValueError for no key."""
    box = SealedBox(PrivateKey(private))
    if file.read(len(MAGIC)) != MAGIC:
        raise ExportFault("Not an export of this program.")
    number = 0
    while True:
        text, is_last = _portion(file, box, number)
        yield text
        if is_last:
            return
        number += 1


def _portion(file: BinaryIO, box: SealedBox[PrivateKey], expected: int) -> tuple[str, bool]:
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise ExportFault("The file is cut off: it is not complete.")
    try:
        opened = box.decrypt(file.read(LENGTH.unpack(head)[0]))
    except CryptoError:
        raise ExportFault("Sealed for another key, or damaged.") from None
    number, is_last = HEAD.unpack_from(opened)
    if number != expected:
        raise ExportFault("A portion is missing: the file is not complete.")
    return opened[HEAD.size :].decode(), is_last


def _csv(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()

"""Export a newsletter's readers, or the evidence of their consent, for the newsroom (B8).

An export is an age file for the one or two public keys in EXPORT_RECIPIENTS (newsletter.lib.age).
It is encrypted row by row, so memory stays flat, and nothing readable reaches a disk.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator

from django.conf import settings
from django.db.models import F

from newsletter.editorial.models import Newsletter
from newsletter.lib import age
from newsletter.lib.fields import join_chain, join_topics
from subscribers.crypto.sealing import address_opener, worker_keys
from subscribers.models import Consent, Export, Subscription

ROWS = 5000
"""Rows fetched from the database at a time."""
COLUMNS = {
    "address": "subscriber__sealed_address",
    "languages": "languages",
    "page_language": "subscriber__language",
    "topics": "topics",
    "frequency": "frequency",
    "confirmed_on": "confirmed_on",
    "source": "source",
}
"""The columns of the list of readers -> those of the database."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that begins with one of these."""

Lines = Generator[str, None, int]
"""Lines of text. The generator returns the number of readers."""


def readers(newsletter: Newsletter) -> Lines:
    """Yield the active readers as CSV with a header. Raises SealedError without worker keys."""
    address_of = address_opener()
    rows = (
        Subscription.objects.filter(newsletter=newsletter, state=Subscription.State.ACTIVE)
        .order_by("pk")
        .values_list("subscriber__public_id", "subscriber__storage_key", *COLUMNS.values())
    )
    yield csv_line(COLUMNS)
    count = 0
    for public_id, key, sealed, languages, page_language, topics, *choices in rows.iterator(
        chunk_size=ROWS
    ):
        address = address_of(key, bytes(sealed), public_id.bytes)
        chain, chosen = join_chain(languages), join_topics(topics)
        yield csv_line([address, chain, page_language, chosen, *choices])
        count += 1
    return count


def consents(newsletter: Newsletter) -> Lines:
    """Yield all evidence of consent as JSON Lines, by reader, with random IDs and no addresses."""
    rows = (
        Consent.objects.filter(subscription__newsletter=newsletter)
        .annotate(reader=F("subscription__subscriber__public_id"))
        .order_by("subscription_id", "pk")
    )
    count, last = 0, None
    for consent in rows.iterator(ROWS):
        if consent.reader != last:
            count, last = count + 1, consent.reader
        line = {"reader": str(consent.reader), **consent.evidence()}
        yield json.dumps(line, ensure_ascii=False) + "\n"
    return count


CONTENT: dict[str, Callable[[Newsletter], Lines]] = {
    Export.Kind.READERS: readers,
    Export.Kind.CONSENTS: consents,
}


def write(
    newsletter: Newsletter, kind: Export.Kind, file: age.Writable, *, purpose: str = ""
) -> Export:
    """Write an age file for EXPORT_RECIPIENTS; return its Export row.

    Raises SealedError if an address can't be decrypted, and whatever `file` raises. The file is
    then incomplete, and the row says so.
    """
    recipients: list[str] = settings.EXPORT_RECIPIENTS

    def encrypt(lines: Iterator[str]) -> None:
        age.encrypt((line.encode() for line in lines), recipients, file)

    return _make(newsletter, kind, encrypt, recipients=recipients, purpose=purpose)


def show(
    newsletter: Newsletter, kind: Export.Kind, put: Callable[[str], object], *, purpose: str = ""
) -> Export:
    """Pass each unencrypted line to `put`, for a terminal; otherwise the same as `write`."""

    def put_all(lines: Iterator[str]) -> None:
        for line in lines:
            put(line)

    return _make(newsletter, kind, put_all, recipients=[], purpose=purpose)


def _make(
    newsletter: Newsletter,
    kind: Export.Kind,
    take: Callable[[Iterator[str]], None],
    *,
    recipients: list[str],
    purpose: str,
) -> Export:
    if kind == Export.Kind.READERS:
        worker_keys()  # raises before a row is recorded for an export that can't start
    # Recorded before the first address leaves, whatever happens after that.
    record = Export.objects.create(
        newsletter=newsletter.slug, kind=kind, recipients=", ".join(recipients), purpose=purpose
    )

    def lines() -> Iterator[str]:
        record.readers = yield from CONTENT[kind](newsletter)

    take(lines())
    record.save(update_fields=["readers"])
    return record


def csv_line(values: Iterable[object]) -> str:
    """Return a line of CSV (RFC 4180). A cell that a spreadsheet would run is prefixed with `'`."""
    cells = ["" if value is None else str(value) for value in values]
    line = io.StringIO()
    csv.writer(line).writerow(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells)
    return line.getvalue()

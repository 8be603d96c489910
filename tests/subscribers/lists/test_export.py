"""B8: the rows of an export, and the record that it leaves."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import uuid
from datetime import date
from typing import Any

import pyrage
import pytest
from pyrage.x25519 import Identity

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle
from subscribers.addresses import Address
from subscribers.crypto import sealing
from subscribers.lists import export
from subscribers.models import Consent, Export, Subscriber, Subscription
from tests.subscribers.conftest import AddReader

ALA, BOB = Identity.generate(), Identity.generate()
KEYS = [str(ALA.to_public()), str(BOB.to_public())]
READERS, CONSENTS = Export.Kind.READERS, Export.Kind.CONSENTS
MANY = 50_000


@pytest.fixture(autouse=True)
def _one_recipient(settings: Any) -> None:
    settings.EXPORT_RECIPIENTS = KEYS[:1]


def exported(newsletter: Newsletter, kind: Export.Kind = READERS) -> str:
    file = io.BytesIO()
    export.write(newsletter, kind, file)
    return str(pyrage.decrypt(file.getvalue(), [ALA]), "utf-8")


def test_an_export_contains_only_the_newsletters_active_readers(
    weekly: Newsletter, add_reader: AddReader
) -> None:
    add_reader("be", "ru", address="Ala@readers.example", topics={3, 7})
    left = add_reader(address="left@readers.example")
    lifecycle.unsubscribe(left.pk)
    add_reader(address="waits@readers.example", state=Subscription.State.PENDING)
    other = Newsletter.objects.create(slug="other", languages=["en"], sender_address="a@b.example")
    elsewhere = add_reader(address="other@readers.example")
    Subscription.objects.filter(pk=elsewhere.pk).update(newsletter=other)
    rows = list(csv.DictReader(io.StringIO(exported(weekly), newline="")))
    assert rows == [
        {
            "address": "Ala@readers.example",
            "languages": "be,ru",
            "page_language": "be",
            "topics": "3,7",
            "frequency": "weekly",
            "confirmed_on": f"{Subscription.objects.get(languages='be,ru').confirmed_on}",
            "source": "operator",
        }
    ]


def test_b8_evidence_of_consent_is_exported_without_addresses(
    weekly: Newsletter, add_reader: AddReader, settings: Any
) -> None:
    first, second = [add_reader(address=f"r{number}@readers.example") for number in range(2)]
    lifecycle.unsubscribe(first.pk)
    settings.WORKER_KEYS = None  # not needed, because it contains no addresses
    file = io.BytesIO()
    record = export.write(weekly, CONSENTS, file)
    text = pyrage.decrypt(file.getvalue(), [ALA]).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    who = [str(each.subscriber.public_id) for each in (first, first, second)]
    assert [line["reader"] for line in lines] == who
    assert [line["action"] for line in lines] == ["recorded", "unsubscribed", "recorded"]
    consent = Consent.objects.filter(subscription=second).get()
    assert (lines[2]["wording"], lines[2]["version"]) == (consent.wording, consent.wording_version)
    assert consent.wording
    assert "readers.example" not in text
    assert (record.kind, record.readers) == ("consents", 2)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+375", "'+375"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        ('say "no", \n twice', 'say "no", \n twice'),
        (date(2026, 11, 9), "2026-11-09"),
    ],
)
def test_a_cell_keeps_its_value_and_is_never_a_formula(cell: object, written: str) -> None:
    line = export.csv_line(["before", cell, "after"])
    assert list(csv.reader(io.StringIO(line, newline=""))) == [["before", written, "after"]]


def test_an_address_that_is_a_formula_is_quoted(weekly: Newsletter, add_reader: AddReader) -> None:
    add_reader(address="=cmd@readers.example")
    [row] = csv.DictReader(io.StringIO(exported(weekly), newline=""))
    assert row["address"] == "'=cmd@readers.example"


def test_an_export_is_recorded_with_its_recipients_and_purpose(
    weekly: Newsletter, add_reader: AddReader, settings: Any
) -> None:
    add_reader()
    settings.EXPORT_RECIPIENTS = KEYS
    export.write(weekly, READERS, io.BytesIO(), purpose="moving")
    record = Export.objects.get()
    assert (record.newsletter, record.kind, record.readers) == ("weekly", "readers", 1)
    assert (record.recipients, record.purpose) == (", ".join(KEYS), "moving")
    assert record.made_at


def test_an_export_that_fails_half_way_is_recorded_as_incomplete(
    weekly: Newsletter, add_reader: AddReader
) -> None:
    add_reader(address="first@readers.example")
    damaged = add_reader(address="second@readers.example").subscriber
    Subscriber.objects.filter(pk=damaged.pk).update(sealed_address=b"x" * 40)
    file = io.BytesIO()
    with pytest.raises(sealing.SealedError):
        export.write(weekly, READERS, file)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(file.getvalue(), [ALA])
    assert Export.objects.get().readers is None


def test_without_worker_keys_nothing_is_exported_or_recorded(
    weekly: Newsletter, add_reader: AddReader, settings: Any
) -> None:
    add_reader()
    settings.WORKER_KEYS = None
    file = io.BytesIO()
    with pytest.raises(sealing.SealedError, match="no worker keys"):
        export.write(weekly, READERS, file)
    assert not file.getvalue()
    assert not Export.objects.exists()


@pytest.mark.slow
def test_memory_use_stays_flat_with_many_readers(weekly: Newsletter, settings: Any) -> None:
    add_many(weekly, MANY)
    for keys in (KEYS[:1], KEYS):
        settings.EXPORT_RECIPIENTS = keys
        file = CountingFile()
        tracemalloc.start()
        try:
            record = export.write(weekly, READERS, file)
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert record.readers == MANY
        assert file.size > 3_000_000  # as database rows, it would take tens of MB
        assert peak < 10_000_000


class CountingFile:
    """A file that only counts its bytes."""

    size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


def add_many(newsletter: Newsletter, count: int) -> None:
    readers: list[Subscriber] = []
    for number in range(count):
        public_id = uuid.uuid4()
        address = Address(f"reader-{number:06}", "readers.example")
        sealed = sealing.seal_address(address, public_id)
        readers.append(
            Subscriber(
                public_id=public_id,
                sealed_address=sealed.data,
                storage_key=sealed.key_number,
                address_hash=number.to_bytes(32, "big"),
                address_hash_key=1,
                language="en",
            )
        )
    Subscriber.objects.bulk_create(readers, batch_size=2000)
    Subscription.objects.bulk_create(
        (
            Subscription(
                subscriber=subscriber,
                newsletter=newsletter,
                state=Subscription.State.ACTIVE,
                languages=("en",),
                confirmed_on=date(2026, 11, 9),
            )
            for subscriber in readers
        ),
        batch_size=2000,
    )

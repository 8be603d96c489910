"""An address is readable in a worker's memory and nowhere else (P3, G3, G4, G7)."""

from __future__ import annotations

import base64
import hashlib
import logging
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client

from newsletter.editorial.models import Newsletter
from subscribers import intake, lifecycle, suppression
from subscribers.crypto.sealing import AddressHash
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, TransactionalEmail
from subscribers.transactional import texts
from tests.subscribers.conftest import AddReader, filled

SECRET = "Hidden.Reader+x@secret-mailbox.example"
SHAPES = [
    shape
    for text in (SECRET, SECRET.lower(), "secret-mailbox")
    for shape in (
        text.encode(),
        base64.b64encode(text.encode()).rstrip(b"=")[:-1],
        text.encode().hex().encode(),
        quote(text).encode(),
        hashlib.sha256(text.encode()).digest(),
        hashlib.sha256(text.encode()).hexdigest().encode(),
        hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode(),
        hashlib.blake2b(text.encode(), digest_size=32).digest(),
    )
]


def assert_hidden(data: bytes, where: str) -> None:
    for shape in SHAPES:
        assert shape not in data, f"{where} contains {shape!r}"


def database() -> bytes:
    """Return every value of every table, with bytes unchanged."""
    values: list[bytes] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                for value in row:
                    raw = isinstance(value, bytes | memoryview)
                    values.append(bytes(value) if raw else str(value).encode())
    return b"\n".join(values)


def sign_up_confirm_and_unsubscribe(client: Client) -> None:
    form = filled(email=SECRET, choices=["be,ru"])
    client.post("/be/subscribe/", {**form, "email": SECRET + "@"})
    client.post("/be/subscribe/", form)
    assert_hidden(database(), "the database with an intake item")
    intake.drain(10)
    texts.write(TransactionalEmail.objects.get())
    subscription = Subscription.objects.get()
    client.post(f"/be/confirm/{tokens.make(LinkPurpose.CONFIRM, subscription.pk)}/")
    client.post("/be/subscribe/", form)
    intake.drain(10)
    assert_hidden(database(), "the database with a reader")
    client.post(f"/u/{tokens.make(LinkPurpose.UNSUBSCRIBE, subscription.pk)}/")


def test_g3_g4_no_table_and_no_log_contains_an_address(
    client: Client, weekly: Newsletter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sign_up_confirm_and_unsubscribe(client)
    assert Subscription.objects.get().state == "unsubscribed"
    assert_hidden(database(), "the database in the end")
    logs = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert_hidden(logs.encode(), "the log")


def test_the_scan_finds_an_address(weekly: Newsletter) -> None:
    weekly.reply_to = SECRET
    weekly.save()
    with pytest.raises(AssertionError, match="contains"):
        assert_hidden(database(), "the database")


def test_g3_a_worker_that_fails_does_not_log_the_address(
    weekly: Newsletter,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*args: object) -> None:
        raise RuntimeError(f"crashed at {args} {SECRET}")

    client.post("/en/subscribe/", filled(email=SECRET))
    monkeypatch.setattr(lifecycle, "sign_up", crash)
    assert intake.drain(10) == 0
    assert "RuntimeError" in caplog.text
    assert_hidden(caplog.text.encode(), "the log")


@pytest.mark.parametrize(
    "listing", ["/admin/subscribers/subscriber/", "/admin/subscribers/subscription/"]
)
def test_the_desk_shows_readers_without_their_address(
    admin_client: Client, add_reader: AddReader, listing: str
) -> None:
    subscription = add_reader("be", address=SECRET)
    reader = subscription.subscriber
    pk = reader.pk if listing.endswith("/subscriber/") else subscription.pk
    for path in (listing, f"{listing}{pk}/change/"):
        answer = admin_client.get(path)
        assert answer.status_code == 200
        assert str(reader.public_id) in answer.content.decode()
        assert_hidden(answer.content, path)
        for stored in (bytes(reader.sealed_address), bytes(reader.address_hash)):
            assert stored.hex().encode() not in answer.content
    assert admin_client.get(f"{listing}add/").status_code == 403
    assert admin_client.post(f"{listing}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Subscription.objects.exists()


def test_the_desk_shows_suppressions(admin_client: Client, add_reader: AddReader) -> None:
    reader = add_reader("be", address=SECRET).subscriber
    suppression.suppress(
        AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "bounced"
    )
    answer = admin_client.get("/admin/subscribers/suppression/")
    assert answer.status_code == 200
    assert bytes(reader.address_hash).hex().encode() not in answer.content

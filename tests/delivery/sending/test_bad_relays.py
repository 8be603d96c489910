"""A misconfigured or broken relay: the worker's log names the reason, and no reader is lost.

Once the relay works again, every reader gets the email once.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.sender import compiled_edition, send_batch
from tests.delivery.conftest import send_all_due
from tests.transport.certificate import certificate
from tests.transport.relay import SILENT, Relay

pytestmark = pytest.mark.server
EVERYONE = [f"r{number}@readers.example" for number in range(10)]


@pytest.fixture
def wire(prepared_mailing: Mailing) -> Iterator[Relay]:
    server = Relay(pipelines=True)
    transports.reset()
    yield server
    transports.reset()
    compiled_edition.cache_clear()
    server.close()


@pytest.fixture
def other_hosts_port(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A port whose certificate is for another address, and the file that makes it trusted."""
    context, trusted = certificate(tmp_path, "127.0.0.2")
    listening = socket.create_server(("127.0.0.1", 0))

    def shake_hands() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with suppress(OSError):
                    context.wrap_socket(connection, server_side=True)

    thread = threading.Thread(target=shake_hands, daemon=True)
    thread.start()
    yield listening.getsockname()[1], trusted
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def try_to_send(settings: Any, url: str) -> None:
    settings.DELIVERY_TRANSPORTS = [url]
    transports.reset()
    send_batch(protocol.due_batches(1)[0])


def assert_nobody_is_lost(prepared_mailing: Mailing, wire: Relay, settings: Any) -> None:
    assert report(prepared_mailing).waiting == 10, "provably unsent"
    assert wire.messages == []
    wire.answers.clear()
    settings.DELIVERY_TRANSPORTS = [f"smtp://127.0.0.1:{wire.port}?timeout=2"]
    transports.reset()
    prepared_mailing.refresh_from_db()
    control.resume(prepared_mailing)  # wrong credentials hold the mailing
    Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
    send_all_due()
    assert sorted(str(message_from_bytes(message)["To"]) for message in wire.messages) == EVERYONE
    assert report(prepared_mailing).sent == 10
    assert audit(prepared_mailing.pk)[0].faults == []


@pytest.mark.parametrize(
    ("verb", "answer", "url", "reason"),
    [
        ("", "", "smtp://127.0.0.1:{}?starttls=demand", "the relay offers no STARTTLS"),
        (
            *("AUTH", "535 5.7.8 s3cret is wrong", "smtp://desk:s3cret@127.0.0.1:{}"),
            "credentials refused: 535 5.7.8",
        ),
        ("greeting", "\0\1\2", "smtp://127.0.0.1:{}", "invalid reply during the handshake"),
        ("EHLO", "250 " + "x" * 5000, "smtp://127.0.0.1:{}", "invalid reply"),
        ("greeting", SILENT, "smtp://127.0.0.1:{}?timeout=1", "timed out during the handshake"),
    ],
    ids=["no TLS", "bad credentials", "nonsense", "overlong line", "no reply"],
)
def test_the_log_names_the_reason_and_no_reader_is_lost(
    prepared_mailing: Mailing,
    wire: Relay,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    verb: str,
    answer: str,
    url: str,
    reason: str,
) -> None:
    wire.answer(verb, *[answer] * 9)
    try_to_send(settings, url.format(wire.port))
    [logged] = [line for line in caplog.text.splitlines() if "action=transport-down" in line]
    assert f'reason="smtp://127.0.0.1:{wire.port}: {reason}' in logged
    assert "s3cret" not in caplog.text
    assert_nobody_is_lost(prepared_mailing, wire, settings)


def test_the_log_names_a_certificate_that_does_not_match_and_no_reader_is_lost(
    prepared_mailing: Mailing,
    wire: Relay,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    other_hosts_port: tuple[int, Path],
) -> None:
    port, trusted = other_hosts_port
    try_to_send(settings, f"smtps://127.0.0.1:{port}?ca={trusted}&timeout=2")
    [logged] = [line for line in caplog.text.splitlines() if "action=transport-down" in line]
    assert "TLS handshake failed (IP address mismatch" in logged
    assert_nobody_is_lost(prepared_mailing, wire, settings)

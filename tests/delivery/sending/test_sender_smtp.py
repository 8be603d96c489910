"""The sender with the SMTP transport: windows are permitted while the connections are busy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email import message_from_bytes
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.sender import compiled_edition, send_batch
from newsletter.transport.outcomes import Result
from tests.delivery.conftest import send_all_due
from tests.transport.relay import HANG_UP, Relay

pytestmark = pytest.mark.server
EVERYONE = [f"r{number}@readers.example" for number in range(10)]
STEP, CONNECTIONS = 3, 2


@pytest.fixture(params=[False, True], ids=["stepwise", "pipelining"])
def wire(
    request: pytest.FixtureRequest, prepared_mailing: Mailing, settings: Any
) -> Iterator[Relay]:
    """A relay on loopback, used from now on."""
    server = Relay(pipelines=request.param)
    transports.reset()
    url = f"smtp://127.0.0.1:{server.port}?connections={CONNECTIONS}&timeout=2"
    settings.DELIVERY_TRANSPORTS = [url]
    settings.SEND_STEP = STEP
    yield server
    transports.reset()
    compiled_edition.cache_clear()
    server.close()


def taken(wire: Relay) -> list[str]:
    return sorted(str(message_from_bytes(message)["To"]) for message in wire.messages)


def test_windows_are_permitted_one_ahead_with_all_that_is_known(
    prepared_mailing: Mailing, wire: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted: list[tuple[int, int]] = []
    permit = protocol.permit

    def seen(
        held: protocol.Claim, *, upto: int, results: bytes, replies: Mapping[Any, Any]
    ) -> bool:
        settled = sum(result != Result.NONE for result in results)
        permitted.append((upto, settled))
        # Whoever may have a message by now lies below what was permitted before.
        assert len(wire.messages) <= upto
        return permit(held, upto=upto, results=results, replies=replies)

    monkeypatch.setattr(protocol, "permit", seen)
    send_all_due()
    assert taken(wire) == EVERYONE
    assert report(prepared_mailing).sent == 10
    assert [upto for upto, _ in permitted] == [3, 6, 9, 10]
    for upto, settled in permitted:
        assert upto - settled <= 2 * STEP + CONNECTIONS, "the declared doubt"
    assert permitted[-1][1] > 0, "what was settled is stored with the next permission"
    assert wire.connections <= CONNECTIONS


def test_a_worker_that_is_told_to_stop_leaves_nothing_in_doubt(
    prepared_mailing: Mailing, wire: Relay
) -> None:
    """E7."""
    wire.delays["."] = 0.2
    send_batch(protocol.due_batches(1)[0], stop=lambda: len(wire.messages) >= 4)
    assert report(prepared_mailing).unknown == 0
    assert 4 <= report(prepared_mailing).sent < 10
    wire.delays.clear()
    send_all_due()
    assert taken(wire) == EVERYONE
    assert audit(prepared_mailing.pk)[0].faults == []


def test_a_line_that_is_cut_after_a_final_dot_leaves_that_reader_unknown(
    prepared_mailing: Mailing, wire: Relay
) -> None:
    wire.answer(".", "250 2.0.0 ok", HANG_UP, HANG_UP)
    send_all_due()
    transports.reset()
    wire.answers.clear()
    assert 1 <= report(prepared_mailing).unknown <= CONNECTIONS
    Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
    send_all_due()
    assert taken(wire) == EVERYONE, "nobody twice"
    assert report(prepared_mailing).sent + report(prepared_mailing).unknown == 10
    assert audit(prepared_mailing.pk)[0].faults == []


def test_a_permission_that_is_refused_in_mid_send_ends_it(
    prepared_mailing: Mailing, wire: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = protocol.permit

    def paused(held: protocol.Claim, *, upto: int, **rest: Any) -> bool:
        if upto > 2 * STEP:
            Mailing.objects.update(state=Mailing.State.PAUSED)
        return permit(held, upto=upto, **rest)

    monkeypatch.setattr(protocol, "permit", paused)
    send_all_due()
    assert len(wire.messages) == 2 * STEP
    assert report(prepared_mailing).sent == 2 * STEP
    assert report(prepared_mailing).waiting == 10 - 2 * STEP

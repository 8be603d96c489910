"""The sender with the SMTP transport, which asks for permission while connections are busy."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from itertools import pairwise
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
    """A relay on loopback; it is the only transport from now on."""
    server = Relay(pipelines=request.param)
    transports.reset()
    url = f"smtp://127.0.0.1:{server.port}?connections={CONNECTIONS}&timeout=2"
    settings.DELIVERY_TRANSPORTS = [url]
    settings.SEND_STEP = STEP
    yield server
    transports.reset()
    compiled_edition.cache_clear()
    server.close()


def accepted(wire: Relay) -> list[str]:
    """Return the addresses whose messages the relay accepted, sorted."""
    return sorted(str(message_from_bytes(message)["To"]) for message in wire.messages)


def test_each_permission_is_one_window_ahead_and_stores_all_results_so_far(
    prepared_mailing: Mailing, wire: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted: list[tuple[int, int]] = []
    permit = protocol.permit

    def noted(claim: protocol.Claim, *, upto: int, results: bytes, **rest: Any) -> bool:
        settled = sum(result != Result.NONE for result in results)
        permitted.append((upto, settled))
        # Nobody beyond the earlier permissions can have a message yet.
        assert len(wire.messages) <= upto
        return permit(claim, upto=upto, results=results, **rest)

    monkeypatch.setattr(protocol, "permit", noted)
    send_all_due()
    assert accepted(wire) == EVERYONE
    assert report(prepared_mailing).sent == 10
    # Nothing is measured at first, so that permission covers one message per connection.
    assert permitted[0] == (CONNECTIONS, 0)
    assert permitted[-1][0] == 10
    windows = [upto - before for (before, _), (upto, _) in pairwise(permitted)]
    assert max(windows) <= STEP
    for upto, settled in permitted:
        assert upto - settled <= 2 * STEP + CONNECTIONS, "the declared doubt"
    assert permitted[-1][1] > 0, "results are stored with the next permission"
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
    assert accepted(wire) == EVERYONE
    assert audit(prepared_mailing.pk)[0].faults == []


def test_if_the_connection_is_lost_after_the_final_dot_that_reader_is_unknown(
    prepared_mailing: Mailing, wire: Relay
) -> None:
    wire.answer(".", "250 2.0.0 ok", HANG_UP, HANG_UP)
    send_all_due()
    transports.reset()
    wire.answers.clear()
    assert 1 <= report(prepared_mailing).unknown <= CONNECTIONS
    Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
    send_all_due()
    assert accepted(wire) == EVERYONE, "nobody gets it twice"
    assert report(prepared_mailing).sent + report(prepared_mailing).unknown == 10
    assert audit(prepared_mailing.pk)[0].faults == []


def test_a_refused_permission_stops_sending_after_the_permitted_windows(
    prepared_mailing: Mailing, wire: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = protocol.permit

    def pause_before(claim: protocol.Claim, *, upto: int, **rest: Any) -> bool:
        if upto > CONNECTIONS:
            Mailing.objects.update(state=Mailing.State.PAUSED)
        return permit(claim, upto=upto, **rest)

    monkeypatch.setattr(protocol, "permit", pause_before)
    send_all_due()
    assert len(wire.messages) == CONNECTIONS
    assert report(prepared_mailing).sent == CONNECTIONS
    assert report(prepared_mailing).waiting == 10 - CONNECTIONS

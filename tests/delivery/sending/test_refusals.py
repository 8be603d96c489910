"""A relay that refuses everybody holds the mailing, and counts against no reader (D7, D8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from newsletter.delivery.models import Batch, Mailing, Outcome, TransportState
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.sender import send_batch
from newsletter.editorial.models import Issue
from newsletter.transport import memory
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Fault, Result, TransportDownError
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due

pytestmark = pytest.mark.django_db
EVERYONE = [f"r{number}@readers.example" for number in range(60)]
QUOTA: dict[str, Any] = {"code": 550, "status": "5.4.5", "fault": Fault.SENDER}
GONE: dict[str, Any] = {"code": 550, "status": "5.1.1", "fault": Fault.READER}


@pytest.fixture
def sixty(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Callable[..., Any]
) -> Mailing:
    """A mailing to sixty readers that is ready to send."""
    for address in EVERYONE:
        add_reader(address, "en")
    write_article(issue=issue, en="Minsk looks east")
    return prepare_mailing(issue)


def balance(mailing: Mailing) -> tuple[int, int, int, int]:
    """Return how many were sent, refused, failed and are waiting; the audit must agree."""
    mailing.refresh_from_db()
    [finding] = audit(mailing.pk)
    assert finding.faults == []
    counts = report(mailing)
    return counts.sent, counts.refused, counts.failed, counts.waiting


def test_a_quota_holds_the_mailing_and_the_others_get_it_after_it_is_resumed(
    sixty: Mailing, relay: MemoryTransport
) -> None:
    for address in EVERYONE[20:]:
        relay.script(address, Result.FAILED, **QUOTA)

    send_all_due()

    assert balance(sixty) == (20, 0, 0, 40)
    assert (sixty.state, sixty.hold) == (Mailing.State.PAUSED, Mailing.Hold.REFUSED)
    assert sixty.hold_facts == {
        "transport": "memory://relay",
        "fault": "sender",
        "code": 550,
        "status": "5.4.5",
        "refused": 20,
    }

    for address in EVERYONE[20:]:
        relay.clear_script(address)
    assert control.resume(sixty)
    send_all_due()

    assert balance(sixty) == (60, 0, 0, 0)
    assert sorted(message.address for message in relay.delivered) == sorted(EVERYONE)
    assert sixty.hold_facts == {}


def test_a_relay_that_refuses_everybody_as_unknown_counts_against_nobody(
    sixty: Mailing, relay: MemoryTransport
) -> None:
    for address in EVERYONE:
        relay.script(address, Result.REFUSED, **GONE)

    send_all_due()

    assert balance(sixty) == (0, 0, 0, 60)
    assert sixty.hold == Mailing.Hold.REFUSED
    assert not Outcome.objects.exists()


def test_a_few_readers_who_are_gone_are_refused_and_the_mailing_goes_on(
    sixty: Mailing, relay: MemoryTransport
) -> None:
    for address in EVERYONE[::10]:
        relay.script(address, Result.REFUSED, **GONE)

    send_all_due()

    assert balance(sixty) == (54, 6, 0, 0)
    outcome = Outcome.objects.filter(result=Result.REFUSED).first()
    assert outcome is not None
    assert (outcome.code, outcome.status, outcome.fault) == (550, "5.1.1", "reader")
    assert TransportState.objects.get().accepted_at is not None


def test_a_sender_that_is_refused_at_once_holds_the_mailing(
    sixty: Mailing, relay: MemoryTransport
) -> None:
    relay.down_after = 0
    relay.down = TransportDownError(
        "memory://relay: mail: 550 5.7.1", code=550, status="5.7.1", fault=Fault.SENDER
    )

    send_all_due()

    assert balance(sixty) == (0, 0, 0, 60)
    assert (sixty.hold, sixty.hold_facts["status"]) == (Mailing.Hold.REFUSED, "5.7.1")


def test_a_relay_that_is_away_holds_nothing_up_but_its_readers(
    sixty: Mailing, relay: MemoryTransport
) -> None:
    relay.down_after = 0

    send_all_due()

    assert balance(sixty) == (0, 0, 0, 60)
    assert (sixty.state, sixty.hold) == (Mailing.State.SENDING, "")
    state = TransportState.objects.get()
    assert (state.name, state.reason) == ("memory://relay", "scripted")
    assert state.down_since is not None


def test_another_transport_takes_over_from_one_that_refuses_everybody(
    sixty: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.DELIVERY_TRANSPORTS = ["memory://relay", "memory://second"]
    transports.reset()
    for address in EVERYONE:
        relay.script(address, Result.FAILED, **QUOTA)

    while due := protocol.due_batches(1):
        assert send_batch(due[0])

    assert balance(sixty) == (60, 0, 0, 0)
    assert relay.delivered == []
    assert len(memory.get_transport("second").delivered) == 60
    closed = Batch.objects.filter(state=Batch.State.CLOSED).order_by("pk")
    assert list(closed.values_list("transport", flat=True)) == ["memory://relay", "memory://second"]


def test_a_transport_that_refuses_is_preferred_again_after_retry_now(
    sixty: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.DELIVERY_TRANSPORTS = ["memory://relay", "memory://second"]
    transports.reset()
    transports.mark_down(relay, TransportDownError("away"))
    assert chosen() == "memory://second"

    assert transports.retry_now("memory://relay")

    assert chosen() == "memory://relay"


def test_one_worker_at_a_time_tries_a_transport_that_is_down(
    sixty: Mailing, relay: MemoryTransport
) -> None:
    transports.mark_down(relay, TransportDownError("away"))
    assert chosen() is None
    transports.retry_now(relay.name)

    assert chosen() == relay.name
    assert chosen() is None

    transports.mark_up(relay)
    assert chosen() == relay.name
    assert chosen() == relay.name


def test_the_pause_doubles_with_each_failed_attempt(sixty: Mailing, relay: MemoryTransport) -> None:
    pauses = []
    for _ in range(8):
        transports.mark_down(relay, TransportDownError("away"))
        state = TransportState.objects.get()
        assert state.retry_at is not None
        pauses.append(round((state.retry_at - timezone.now()).total_seconds()))

    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]


def chosen() -> str | None:
    """Return the name of the transport that a worker would use now."""
    transport = transports.available()
    return transport.name if transport else None

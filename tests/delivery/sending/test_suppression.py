"""A reader who is refused while we send bounces at once; what isn't their fault never counts."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.delivery.models import Event, Mailing, ProviderMessage
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Fault, Result, SendResult
from subscribers.models import Subscription, Suppression
from tests.delivery.conftest import send_all_due

pytestmark = pytest.mark.django_db
GONE: dict[str, Any] = {"code": 550, "status": "5.1.1", "fault": Fault.READER}
BLOCKED: dict[str, Any] = {"code": 550, "status": "5.7.1", "fault": Fault.SENDER}


def suppressed(reader: Subscription) -> bool:
    reader.refresh_from_db()
    return reader.state == Subscription.State.UNSUBSCRIBED


def test_d2_an_address_that_does_not_exist_is_suppressed_at_once(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    relay.script("r4@readers.example", Result.REFUSED, **GONE)

    send_all_due()

    assert [suppressed(reader) for reader in readers].count(True) == 1
    assert suppressed(readers[4])
    assert Suppression.objects.get().reason == Suppression.Reason.BOUNCED
    event = Event.objects.get()
    assert (event.kind, event.code, event.status) == (Event.Kind.BOUNCED, 550, "5.1.1")


def test_d7_a_refusal_that_is_not_the_readers_fault_suppresses_nobody(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    relay.script("r4@readers.example", Result.FAILED, Result.FAILED, **BLOCKED)

    send_all_due()

    assert not Suppression.objects.exists()
    assert not Event.objects.exists()


def test_d8_a_relay_that_refuses_everybody_suppresses_nobody(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    for number in range(10):
        relay.script(f"r{number}@readers.example", Result.REFUSED, **GONE)

    send_all_due()

    assert not Suppression.objects.exists()
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.hold == Mailing.Hold.REFUSED


def test_c9_the_providers_message_id_is_stored_for_each_reader(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    readers: list[Subscription],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle = relay._settle

    def with_message_id(*arguments: Any) -> SendResult:
        result = settle(*arguments)
        return result._replace(message_id=f"id-{result.position}")

    monkeypatch.setattr(relay, "_settle", with_message_id)

    send_all_due()

    stored = ProviderMessage.objects.order_by("pk").values_list("subscriber_id", "message_id")
    assert sorted(stored) == sorted(
        (reader.subscriber_id, f"id-{position}") for position, reader in enumerate(readers)
    )

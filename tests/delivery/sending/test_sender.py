"""Sending one batch: claim, permission, second read, hand-over, finish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol, rescue, sender
from newsletter.delivery.sending.sender import send_batch
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result, TransportDownError
from subscribers import lifecycle
from subscribers.models import Subscriber, Subscription
from tests.delivery.conftest import call_at, send_all_due
from tests.delivery.simulation.base import ProcessKilled

EVERYONE = [f"r{number}@readers.example" for number in range(10)]


def addresses(relay: MemoryTransport) -> list[str]:
    return sorted(message.address for message in relay.delivered)


def balances(mailing: Mailing) -> bool:
    [finding] = audit(mailing.pk)
    return finding.faults == []


def results(mailing: Mailing) -> list[Result]:
    rows = Outcome.objects.filter(mailing_id=mailing.pk).order_by("subscriber_id")
    return [Result(row.result) for row in rows]


def test_each_reader_gets_one_email(prepared_mailing: Mailing, relay: MemoryTransport) -> None:
    send_all_due()
    assert addresses(relay) == EVERYONE
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.FINISHED
    assert report(prepared_mailing).sent == 10
    assert balances(prepared_mailing)


def test_a_reader_who_unsubscribed_after_the_snapshot_is_skipped(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    """A15: subscriptions are read again just before the hand-over."""
    lifecycle.unsubscribe(readers[3].pk)
    send_all_due()
    assert "r3@readers.example" not in addresses(relay)
    assert report(prepared_mailing).skipped == 1
    assert balances(prepared_mailing)


def test_an_unsubscription_between_two_windows_is_obeyed(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription], settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = call_at(1, lambda: lifecycle.unsubscribe(readers[8].pk))
    send_all_due()
    assert "r8@readers.example" not in addresses(relay)
    assert len(relay.delivered) == 9


def test_pause_takes_effect_within_one_step(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    """E5."""
    settings.SEND_STEP = 4
    relay.on_message = call_at(2, lambda: control.pause(prepared_mailing))
    send_all_due()
    assert len(relay.delivered) == 4
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.PAUSED
    assert report(prepared_mailing).waiting == 6
    relay.on_message = None
    assert control.resume(prepared_mailing)
    send_all_due()
    assert addresses(relay) == EVERYONE
    assert balances(prepared_mailing)


def test_a_cancelled_mailing_skips_the_rest_and_is_cancelled_only_once(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = call_at(0, lambda: control.cancel(prepared_mailing))
    send_all_due()
    control.settle_cancelled()
    assert report(prepared_mailing).sent == 4
    assert report(prepared_mailing).skipped == 6
    assert balances(prepared_mailing)
    assert not control.cancel(prepared_mailing)


def test_refused_readers_are_recorded_and_deferred_readers_are_tried_again(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r2@readers.example", Result.REFUSED, code=550, status="5.1.1")
    relay.script("r5@readers.example", Result.DEFERRED, code=451, status="4.7.1")
    send_all_due()
    assert report(prepared_mailing).sent == 8
    assert report(prepared_mailing).waiting == 1
    refused = Outcome.objects.get(mailing_id=prepared_mailing.pk, result=Result.REFUSED)
    assert (refused.code, refused.status) == (550, "5.1.1")
    successor = Batch.objects.get(state=Batch.State.OPEN)
    assert successor.round == 1
    assert successor.size == 1
    assert successor.due_at > protocol.database_now() + timedelta(minutes=4)
    Batch.objects.update(due_at=Now())
    send_all_due()
    assert len(relay.to("r5@readers.example")) == 1
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.FINISHED
    assert balances(prepared_mailing)


def test_while_the_relay_is_down_nobody_is_lost(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.down_after = 3
    send_all_due()
    assert len(relay.delivered) == 3
    assert report(prepared_mailing).waiting == 7
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.SENDING
    relay.down_after = None
    Batch.objects.update(due_at=Now())
    send_all_due()
    assert addresses(relay) == EVERYONE
    assert balances(prepared_mailing)


def test_after_the_time_to_give_up_the_rest_fails(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script_calls(TransportDownError("greeting 554"))
    Batch.objects.update(give_up_at=Now())
    send_all_due()
    assert report(prepared_mailing).failed == 10
    assert balances(prepared_mailing)


def test_an_unknown_reader_is_neither_dropped_nor_sent_to_again(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r4@readers.example", Result.UNKNOWN)
    send_all_due()
    assert report(prepared_mailing).unknown == 1
    assert len(relay.to("r4@readers.example")) == 1
    assert balances(prepared_mailing)


def test_a_message_that_breaks_the_connection_does_not_hold_up_the_others(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """The first unsent reader goes last in the successor."""

    def hang_up(to: Any) -> None:
        if to.address == "r2@readers.example":
            raise TransportDownError("connection lost")

    relay.on_message = hang_up
    send_all_due()
    assert len(relay.delivered) == 2
    Batch.objects.update(due_at=Now())
    send_all_due()
    assert len(relay.delivered) == 9
    assert report(prepared_mailing).waiting == 1
    assert balances(prepared_mailing)


def test_with_a_slow_relay_the_worker_stops_before_its_lease_runs_out(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E7: readers who were permitted but not handed over are tried again, not in doubt."""
    settings.SEND_LEASE_SECONDS, settings.SEND_STEP = 100, 4
    clock = [0.0]

    def slow(to: Any) -> None:
        clock[0] += 30

    monkeypatch.setattr(sender, "monotonic", lambda: clock[0])
    relay.on_message = slow
    send_batch(protocol.due_batches(1)[0])
    assert len(relay.delivered) == 3
    assert (report(prepared_mailing).sent, report(prepared_mailing).waiting) == (3, 7)
    send_all_due()
    assert addresses(relay) == EVERYONE
    assert report(prepared_mailing).unknown == 0
    assert balances(prepared_mailing)


def kill() -> None:
    raise ProcessKilled


def test_a_killed_worker_leaves_only_permitted_readers_unknown(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4

    relay.on_message = call_at(6, kill)
    with pytest.raises(ProcessKilled):
        send_all_due()
    assert rescue.rescue_batches() == 0, "its lease hasn't run out"
    Batch.objects.update(lease_until=Now())
    relay.on_message = None
    assert rescue.rescue_batches() == 1
    assert results(prepared_mailing) == [Result.SENT] * 4 + [Result.UNKNOWN] * 4
    send_all_due()
    assert report(prepared_mailing).sent == 6
    assert report(prepared_mailing).unknown == 4
    assert len(addresses(relay)) == len(set(addresses(relay))), "nobody gets it twice"
    assert balances(prepared_mailing)


def test_deferred_readers_wait_also_if_the_worker_dies(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    """The peer asked to wait, so the retry backs off even though the worker died."""
    settings.SEND_STEP = 4
    relay.script("r1@readers.example", Result.DEFERRED, code=451, status="4.7.1")

    relay.on_message = call_at(6, kill)
    with pytest.raises(ProcessKilled):
        send_all_due()
    Batch.objects.update(lease_until=Now())
    assert rescue.rescue_batches() == 1
    successor = Batch.objects.get(state=Batch.State.OPEN)
    assert (successor.size, successor.round) == (3, 1), (
        "the deferred reader, and two who weren't permitted"
    )
    wait = successor.due_at - protocol.database_now()
    assert timedelta(minutes=4) < wait <= timedelta(seconds=settings.SEND_RETRY_SECONDS)
    assert balances(prepared_mailing)


def test_a_worker_that_is_told_to_stop_puts_the_rest_back_into_the_queue(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    send_batch(protocol.due_batches(1)[0], stop=lambda: len(relay.delivered) >= 2)
    assert report(prepared_mailing).sent == 2
    assert report(prepared_mailing).unknown == 0
    send_all_due()
    assert addresses(relay) == EVERYONE


def test_a_worker_records_all_of_a_call_to_a_provider_before_it_stops(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.window = 10
    [batch] = Batch.objects.all()
    send_batch(batch.pk, stop=lambda: bool(relay.delivered))
    send_all_due()
    assert addresses(relay) == EVERYONE
    assert results(prepared_mailing) == [Result.SENT] * 10
    assert balances(prepared_mailing)


def test_a_worker_without_the_key_puts_the_batch_back_into_the_queue(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription], settings: Any
) -> None:
    """During a key rotation on several hosts. Nothing was handed over: nobody is in doubt."""
    settings.SEND_STEP = 4
    Subscriber.objects.filter(pk=readers[6].subscriber_id).update(storage_key=9)
    send_all_due()
    assert len(relay.delivered) == 4
    assert (
        report(prepared_mailing).sent,
        report(prepared_mailing).unknown,
        report(prepared_mailing).waiting,
    ) == (4, 0, 6)
    assert balances(prepared_mailing)
    Subscriber.objects.filter(pk=readers[6].subscriber_id).update(storage_key=1)
    Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
    send_all_due()
    assert len({message.address for message in relay.delivered}) == len(relay.delivered) == 10
    assert balances(prepared_mailing)


def test_a_corrupt_address_does_not_hold_up_the_others(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    Subscriber.objects.filter(pk=readers[6].subscriber_id).update(sealed_address=b"spoilt" * 9)
    send_all_due()
    assert (report(prepared_mailing).sent, report(prepared_mailing).skipped) == (9, 1)
    assert balances(prepared_mailing)

"""One batch: claim, permission, second read, hand-over, finish."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, KillSwitch, Mailing, Outcome
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol, rescue, sender
from newsletter.delivery.sending.packing import unpack
from newsletter.delivery.sending.sender import send_batch
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result, TransportDownError
from subscribers import lifecycle
from subscribers.models import Subscriber, Subscription
from tests.delivery.conftest import send_all_due


def addresses(relay: MemoryTransport) -> list[str]:
    return sorted(mail.address for mail in relay.delivered)


def balances(mailing: Mailing) -> bool:
    [finding] = audit(mailing.pk)
    return finding.faults == []


def results(mailing: Mailing) -> list[Result]:
    rows = Outcome.objects.filter(mailing_id=mailing.pk).order_by("subscriber_id")
    return [Result(row.result) for row in rows]


def test_each_reader_gets_one_mail(prepared_mailing: Mailing, relay: MemoryTransport) -> None:
    send_all_due()
    assert addresses(relay) == [f"r{number}@readers.example" for number in range(10)]
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.FINISHED
    assert report(prepared_mailing).sent == 10
    assert balances(prepared_mailing)


def test_a_batch_is_taken_once(prepared_mailing: Mailing, relay: MemoryTransport) -> None:
    [batch] = protocol.due_batches(5)
    assert protocol.claim(batch) is not None
    assert protocol.claim(batch) is None
    assert not send_batch(batch)
    assert relay.delivered == []


def test_a_reader_who_left_after_the_freeze_is_skipped(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    """A15: the readers' state is read again at the moment of sending."""
    lifecycle.unsubscribe(readers[3].pk)
    send_all_due()
    assert "r3@readers.example" not in addresses(relay)
    assert report(prepared_mailing).skipped == 1
    assert balances(prepared_mailing)


def test_an_unsubscription_between_two_windows_is_obeyed(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription], settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = lambda to: lifecycle.unsubscribe(readers[8].pk) if to.position == 1 else None
    send_all_due()
    assert "r8@readers.example" not in addresses(relay)
    assert len(relay.delivered) == 9


def test_pause_takes_effect_within_one_step(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    """E5."""
    settings.SEND_STEP = 4
    relay.on_message = lambda to: (
        control.pause(prepared_mailing) and None if to.position == 2 else None
    )
    send_all_due()
    assert len(relay.delivered) == 4
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.PAUSED
    assert report(prepared_mailing).waiting == 6
    relay.on_message = None
    assert control.resume(prepared_mailing)
    send_all_due()
    assert addresses(relay) == [f"r{number}@readers.example" for number in range(10)]
    assert balances(prepared_mailing)


def test_a_cancelled_mailing_skips_the_rest_and_is_cancelled_once(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = lambda to: (
        control.cancel(prepared_mailing) and None if to.position == 0 else None
    )
    send_all_due()
    control.settle_cancelled()
    assert report(prepared_mailing).sent == 4
    assert report(prepared_mailing).skipped == 6
    assert balances(prepared_mailing)
    assert not control.cancel(prepared_mailing)


def test_a_frozen_site_permits_nothing(prepared_mailing: Mailing, relay: MemoryTransport) -> None:
    KillSwitch.objects.create(engaged=True)
    assert protocol.due_batches(5) == []
    assert relay.delivered == []


def test_refused_and_deferred_readers(prepared_mailing: Mailing, relay: MemoryTransport) -> None:
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


def test_a_relay_that_is_down_loses_nobody(
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
    assert addresses(relay) == [f"r{number}@readers.example" for number in range(10)]
    assert balances(prepared_mailing)


def test_after_the_time_to_give_up_the_rest_fails(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script_calls(TransportDownError("greeting 554"))
    Batch.objects.update(give_up_at=Now())
    send_all_due()
    assert report(prepared_mailing).failed == 10
    assert balances(prepared_mailing)


def test_an_unknown_is_neither_dropped_nor_sent_again(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r4@readers.example", Result.UNKNOWN)
    send_all_due()
    assert report(prepared_mailing).unknown == 1
    assert len(relay.to("r4@readers.example")) == 1
    assert balances(prepared_mailing)


def test_a_message_that_breaks_the_connection_holds_up_nobody(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """Whoever was next in line goes last in the successor."""

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


def test_a_slow_relay_ends_the_batch_before_the_lease_does(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E7: the sender ends by itself; what was permitted and not reached goes on, undoubted."""
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
    assert addresses(relay) == [f"r{number}@readers.example" for number in range(10)]
    assert report(prepared_mailing).unknown == 0
    assert balances(prepared_mailing)


class Killed(BaseException):
    """kill -9: nothing of ours runs after it."""


def test_a_killed_worker_leaves_unknowns_within_its_intent_only(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4

    def kill(to: Any) -> None:
        if to.position == 6:
            raise Killed

    relay.on_message = kill
    with pytest.raises(Killed):
        send_all_due()
    assert rescue.rescue_batches() == 0, "its lease has not run out"
    Batch.objects.update(lease_until=Now())
    relay.on_message = None
    assert rescue.rescue_batches() == 1
    assert results(prepared_mailing) == [Result.SENT] * 4 + [Result.UNKNOWN] * 4
    send_all_due()
    assert report(prepared_mailing).sent == 6
    assert report(prepared_mailing).unknown == 4
    assert len(addresses(relay)) == len(set(addresses(relay))), "nobody twice"
    assert balances(prepared_mailing)


def test_who_was_put_off_waits_also_when_the_worker_is_lost(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    """What a peer asked for does not die with the worker: backoff, not at once."""
    settings.SEND_STEP = 4
    relay.script("r1@readers.example", Result.DEFERRED, code=451, status="4.7.1")

    def kill(to: Any) -> None:
        if to.position == 6:
            raise Killed

    relay.on_message = kill
    with pytest.raises(Killed):
        send_all_due()
    Batch.objects.update(lease_until=Now())
    assert rescue.rescue_batches() == 1
    successor = Batch.objects.get(state=Batch.State.OPEN)
    assert (successor.size, successor.round) == (3, 1), "the one put off, and two not permitted"
    wait = successor.due_at - protocol.database_now()
    assert timedelta(minutes=4) < wait <= timedelta(seconds=settings.SEND_RETRY_SECONDS)
    assert balances(prepared_mailing)


def test_a_worker_that_wakes_after_its_lease_is_not_permitted(prepared_mailing: Mailing) -> None:
    held = protocol.claim(protocol.due_batches(1)[0])
    assert held is not None
    Batch.objects.update(lease_until=Now())
    assert not protocol.permit(held, upto=5, results=b"", replies={})
    assert protocol.finish_lost(held.batch_id) is not None
    assert protocol.finish(held, results=bytes([1] * 10), replies={}) is None
    assert Outcome.objects.count() == 0
    successor = Batch.objects.get(state=Batch.State.OPEN)
    assert sorted(unpack(successor.reader_ids)) == held.readers


def test_an_old_fence_is_not_permitted(prepared_mailing: Mailing) -> None:
    held = protocol.claim(protocol.due_batches(1)[0])
    assert held is not None
    Batch.objects.update(fence=held.fence + 1)
    assert not protocol.permit(held, upto=5, results=b"", replies={})


def test_of_a_row_that_was_opened_again_by_hand_the_fence_alone_keeps_the_first_holder_out(
    prepared_mailing: Mailing,
) -> None:
    """Nothing of ours opens a row again; an operator with SQL may."""
    first = protocol.claim(protocol.due_batches(1)[0])
    Batch.objects.update(state=Batch.State.OPEN, lease_until=None)
    second = protocol.claim(protocol.due_batches(1)[0])
    assert first is not None
    assert second is not None
    assert not protocol.permit(first, upto=5, results=b"", replies={})
    assert protocol.finish(first, results=bytes([1] * 10), replies={}) is None
    unfenced = replace(first, fence=second.fence)
    assert protocol.permit(unfenced, upto=5, results=b"", replies={}), "nothing else refuses it"
    assert protocol.permit(second, upto=5, results=b"", replies={})


def test_a_worker_that_is_told_to_stop_gives_the_rest_back(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    send_batch(protocol.due_batches(1)[0], stop=lambda: len(relay.delivered) >= 2)
    assert report(prepared_mailing).sent == 2
    assert report(prepared_mailing).unknown == 0
    send_all_due()
    assert addresses(relay) == [f"r{number}@readers.example" for number in range(10)]


def test_readers_without_results_do_not_come_twice_into_the_successor(
    prepared_mailing: Mailing,
) -> None:
    held = protocol.claim(protocol.due_batches(1)[0])
    assert held is not None
    assert protocol.finish(held, results=b"", replies={}) is not None
    assert protocol.finish(held, results=b"", replies={}) is None
    assert Batch.objects.exclude(state=Batch.State.CLOSED).count() == 1
    assert balances(prepared_mailing)


def test_a_call_to_a_provider_is_recorded_to_its_end_before_the_worker_stops(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.window = 10
    [batch] = Batch.objects.all()
    send_batch(batch.pk, stop=lambda: bool(relay.delivered))
    send_all_due()
    assert addresses(relay) == [f"r{number}@readers.example" for number in range(10)]
    assert results(prepared_mailing) == [Result.SENT] * 10
    assert balances(prepared_mailing)


def test_a_worker_without_the_key_gives_the_batch_back(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription], settings: Any
) -> None:
    """In a rotation on several hosts: nothing was handed over, so nobody is in doubt."""
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
    assert len({mail.address for mail in relay.delivered}) == len(relay.delivered) == 10
    assert balances(prepared_mailing)


def test_a_spoilt_row_keeps_nobody_else_waiting(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    Subscriber.objects.filter(pk=readers[6].subscriber_id).update(sealed_address=b"spoilt" * 9)
    send_all_due()
    assert (report(prepared_mailing).sent, report(prepared_mailing).skipped) == (9, 1)
    assert balances(prepared_mailing)

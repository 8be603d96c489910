"""Claim, permit and finish: which workers get a batch, and which get permission to send."""

from __future__ import annotations

from dataclasses import replace

from django.db.models.functions import Now

from newsletter.delivery.models import Batch, KillSwitch, Mailing, Outcome
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending import protocol
from newsletter.delivery.sending.batches import unpack
from newsletter.delivery.sending.sender import send_batch
from newsletter.transport.memory import MemoryTransport


def test_a_batch_is_claimed_only_once(prepared_mailing: Mailing, relay: MemoryTransport) -> None:
    [batch] = protocol.due_batches(5)
    assert protocol.claim(batch) is not None
    assert protocol.claim(batch) is None
    assert not send_batch(batch)
    assert relay.delivered == []


def test_while_the_kill_switch_is_on_nothing_is_sent(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    KillSwitch.objects.create(engaged=True)
    assert protocol.due_batches(5) == []
    assert relay.delivered == []


def test_a_worker_that_resumes_after_its_lease_gets_no_permission(
    prepared_mailing: Mailing,
) -> None:
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    Batch.objects.update(lease_until=Now())
    assert not protocol.permit(claim, upto=5, results=b"", replies={})
    assert protocol.finish_lost(claim.batch_id) is not None
    assert protocol.finish(claim, results=bytes([1] * 10), replies={}) is None
    assert Outcome.objects.count() == 0
    successor = Batch.objects.get(state=Batch.State.OPEN)
    assert sorted(unpack(successor.reader_ids)) == claim.readers


def test_a_claim_with_an_old_fence_gets_no_permission(prepared_mailing: Mailing) -> None:
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    Batch.objects.update(fence=claim.fence + 1)
    assert not protocol.permit(claim, upto=5, results=b"", replies={})


def test_if_a_batch_is_reopened_by_hand_the_fence_alone_stops_the_first_worker(
    prepared_mailing: Mailing,
) -> None:
    """The program never reopens a batch, but an operator with SQL can."""
    first = protocol.claim(protocol.due_batches(1)[0])
    Batch.objects.update(state=Batch.State.OPEN, lease_until=None)
    second = protocol.claim(protocol.due_batches(1)[0])
    assert first is not None
    assert second is not None
    assert not protocol.permit(first, upto=5, results=b"", replies={})
    assert protocol.finish(first, results=bytes([1] * 10), replies={}) is None
    unfenced = replace(first, fence=second.fence)
    assert protocol.permit(unfenced, upto=5, results=b"", replies={}), "only the fence refused it"
    assert protocol.permit(second, upto=5, results=b"", replies={})


def test_finishing_twice_creates_one_successor(
    prepared_mailing: Mailing,
) -> None:
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    assert protocol.finish(claim, results=b"", replies={}) is not None
    assert protocol.finish(claim, results=b"", replies={}) is None
    assert Batch.objects.exclude(state=Batch.State.CLOSED).count() == 1
    assert audit(prepared_mailing.pk)[0].faults == []

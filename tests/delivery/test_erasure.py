"""B9: a reader can be erased at any moment of a mailing, and the audit still passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from newsletter.delivery import personal_data as delivery_data
from newsletter.delivery.models import Batch, Event, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol
from newsletter.delivery.sending.batches import unpack
from newsletter.delivery.sending.sender import send_batch
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Recipient, Result
from subscribers import personal_data
from subscribers.models import Subscriber, Subscription, Suppression, TransactionalEmail
from tests.delivery.conftest import send_all_due

pytestmark = pytest.mark.usefixtures("_on_commit")


@pytest.fixture
def _on_commit(django_capture_on_commit_callbacks: Any) -> Any:
    with django_capture_on_commit_callbacks(execute=True):
        yield


def erase(subscription: Subscription) -> int:
    """Erase the reader; return the ID that was theirs."""
    reader = subscription.subscriber_id
    personal_data.erase(Subscriber.objects.get(pk=reader))
    return reader


def traces(reader: int) -> list[str]:
    """Return the models that still contain the reader's ID."""
    found = [
        model.__name__
        for model in (ReleaseRecipient, Outcome, Event)
        if model._default_manager.filter(subscriber_id=reader).exists()
    ]
    found += ["Batch" for batch in Batch.objects.all() if reader in unpack(batch.reader_ids)]
    return found


def faults(mailing: Mailing) -> list[str]:
    [finding] = audit(mailing.pk)
    return finding.faults


def test_a_reader_erased_before_sending_is_skipped(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    reader = erase(readers[4])
    assert traces(reader) == []
    assert faults(prepared_mailing) == []
    send_all_due()
    assert "r4@readers.example" not in [message.address for message in relay.delivered]
    assert (report(prepared_mailing).sent, report(prepared_mailing).skipped) == (9, 1)
    assert faults(prepared_mailing) == []


def test_a_reader_erased_between_permission_and_second_read_is_skipped(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    readers: list[Subscription],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = protocol.permit

    def permit_and_erase(*args: Any, **kwargs: Any) -> bool:
        permitted = original(*args, **kwargs)
        if Subscriber.objects.filter(pk=readers[4].subscriber_id).exists():
            erase(readers[4])
        return permitted

    monkeypatch.setattr(protocol, "permit", permit_and_erase)
    send_all_due()
    assert "r4@readers.example" not in [message.address for message in relay.delivered]
    assert traces(readers[4].subscriber_id) == []
    assert report(prepared_mailing).skipped == 1
    assert faults(prepared_mailing) == []


def test_a_reader_erased_after_the_second_read_gets_the_email_and_leaves_no_trace(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    def erase_at_first_message(to: Recipient) -> None:
        if to.position == 0:
            erase(readers[4])

    relay.on_message = erase_at_first_message
    send_all_due()
    assert len(relay.delivered) == 10
    assert traces(readers[4].subscriber_id) == []
    assert report(prepared_mailing).sent == 10
    assert faults(prepared_mailing) == []


def test_a_reader_can_be_erased_from_a_batch_whose_worker_died(
    prepared_mailing: Mailing, readers: list[Subscription]
) -> None:
    [batch] = protocol.due_batches(5)
    claim = protocol.claim(batch)
    assert claim is not None
    assert protocol.permit(claim, upto=5, results=b"", replies={})
    reader = erase(readers[2])
    Batch.objects.update(lease_until="2020-01-01T00:00:00+00:00")
    assert protocol.finish_lost(batch) is not None
    assert traces(reader) == []
    assert report(prepared_mailing).unknown == 5
    assert faults(prepared_mailing) == []


def test_a_reader_is_erased_from_a_finished_batch_and_its_predecessors(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription], settings: Any
) -> None:
    """Closed batches contain IDs too: the one with the outcome, and its predecessors."""
    relay.script("r5@readers.example", Result.DEFERRED, code=451, status="4.7.1")
    send_all_due()
    Batch.objects.exclude(state="closed").update(due_at="2020-01-01T00:00:00+00:00")
    relay.script("r5@readers.example", Result.SENT)
    send_all_due()
    assert Batch.objects.count() == 2
    reader = erase(readers[5])
    assert traces(reader) == []
    assert report(prepared_mailing).sent == 10
    assert faults(prepared_mailing) == []


def test_two_readers_of_one_batch_are_erased_with_their_events(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    send_all_due()
    for number in (0, 9):
        Event.objects.create(
            key=bytes([number]),
            kind=Event.Kind.BOUNCED,
            mailing_id=prepared_mailing.pk if number else None,
            subscriber_id=readers[number].subscriber_id,
            on=date(2026, 1, 5),
        )
        assert traces(erase(readers[number])) == []
    assert faults(prepared_mailing) == []
    recipients, settled = (
        {row.subscriber_id for row in model._default_manager.filter(subscriber_id__lt=0)}
        for model in (ReleaseRecipient, Outcome)
    )
    assert len(recipients) == 2
    assert recipients == settled


def test_each_release_gets_its_own_number(
    prepared_mailing: Mailing,
    readers: list[Subscription],
    issue: Any,
    write_article: Callable[..., Any],
) -> None:
    """The rows of two releases can't be linked to the same anonymous reader."""
    other = Mailing.objects.create(
        release=prepared_mailing.release.newsletter.releases.create(kind="special", period="extra"),
        state=Mailing.State.SENDING,
    )
    reader = readers[1].subscriber_id
    ReleaseRecipient.objects.create(
        release_id=other.release_id, mailing_id=other.pk, subscriber_id=reader
    )
    erase(readers[1])
    numbers = ReleaseRecipient.objects.filter(subscriber_id__lt=0).values_list(
        "subscriber_id", flat=True
    )
    assert len(set(numbers)) == 2


def test_only_a_keyed_hash_a_reason_and_a_date_are_left(
    prepared_mailing: Mailing, readers: list[Subscription]
) -> None:
    TransactionalEmail.objects.create(
        kind=TransactionalEmail.Kind.LINK,
        subscriber=readers[3].subscriber,
        due_at="2026-01-05T00:00:00Z",
    )
    address_hash = bytes(readers[3].subscriber.address_hash)
    erase(readers[3])
    suppression = Suppression.objects.get()
    assert bytes(suppression.address_hash) == address_hash
    assert suppression.reason == Suppression.Reason.ERASED
    assert not TransactionalEmail.objects.exists()
    assert Subscription.objects.count() == Subscriber.objects.count() == 9


def test_a_snapshot_that_read_the_reader_before_the_erasure_is_corrected(
    prepared_mailing: Mailing, readers: list[Subscription]
) -> None:
    """As if the snapshot had committed after the erasure looked and before it committed."""
    reader = erase(readers[3])
    ReleaseRecipient.objects.filter(subscriber_id__lt=0).update(subscriber_id=reader)
    delivery_data.replace_id(reader)
    assert traces(reader) == []


def test_bytes_that_straddle_two_ids_are_not_an_id() -> None:
    """IDs are packed side by side: the end of one and the start of the next don't make an ID."""
    one, two = 0x0102030405060708, 0x0A0B0C0D0E0F1011
    across = 0x05060708_0A0B0C0D
    packed = one.to_bytes(8, "big") + two.to_bytes(8, "big")
    assert list(delivery_data._batches_containing([(7, packed)], across)) == []
    assert list(delivery_data._batches_containing([(7, packed)], two)) == [7]


def test_the_export_lists_the_releases_sent_to_the_reader(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    relay.script("r1@readers.example", Result.REFUSED, code=550, status="5.1.1")
    waiting = personal_data.export(readers[0].subscriber)["delivery"]["releases"]
    assert waiting == [{"newsletter": "weekly", "period": "2017-07-24", "results": ["waiting"]}]
    [batch] = protocol.due_batches(5)
    send_batch(batch)
    for number, result in ((0, "sent"), (1, "refused")):
        releases = personal_data.export(readers[number].subscriber)["delivery"]["releases"]
        assert [release["results"] for release in releases] == [[result]]

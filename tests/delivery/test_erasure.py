"""B9: a reader is forgotten at any moment of a send-out, and the account still balances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from newsletter.delivery import personal_data as own_part
from newsletter.delivery.models import Batch, Event, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol
from newsletter.delivery.sending.packing import unpack
from newsletter.delivery.sending.sender import send_batch
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers import personal_data
from subscribers.models import Subscriber, Subscription, Suppression, TransactionalEmail
from tests.delivery.conftest import send_all_due

pytestmark = pytest.mark.usefixtures("_on_commit")


@pytest.fixture
def _on_commit(django_capture_on_commit_callbacks: Any) -> Any:
    with django_capture_on_commit_callbacks(execute=True):
        yield


def erase(subscription: Subscription) -> int:
    """Forget the reader; returns the id that was theirs."""
    reader = subscription.subscriber_id
    personal_data.erase(Subscriber.objects.get(pk=reader))
    return reader


def traces(reader: int) -> list[str]:
    """Where a reader's id still stands."""
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


def test_before_the_batch_is_taken(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    reader = erase(readers[4])
    assert traces(reader) == []
    assert faults(prepared_mailing) == []
    send_all_due()
    assert "r4@readers.example" not in [mail.address for mail in relay.delivered]
    assert (report(prepared_mailing).sent, report(prepared_mailing).skipped) == (9, 1)
    assert faults(prepared_mailing) == []


def test_between_permission_and_second_read_nothing_is_handed_over(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    readers: list[Subscription],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = protocol.permit

    def erased_just_then(*args: Any, **kwargs: Any) -> bool:
        permitted = real(*args, **kwargs)
        if Subscriber.objects.filter(pk=readers[4].subscriber_id).exists():
            erase(readers[4])
        return permitted

    monkeypatch.setattr(protocol, "permit", erased_just_then)
    send_all_due()
    assert "r4@readers.example" not in [mail.address for mail in relay.delivered]
    assert traces(readers[4].subscriber_id) == []
    assert report(prepared_mailing).skipped == 1
    assert faults(prepared_mailing) == []


def test_after_the_second_read_the_mail_arrives_and_points_to_nobody(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    relay.on_message = lambda to: erase(readers[4]) and None if to.position == 0 else None
    send_all_due()
    assert len(relay.delivered) == 10
    assert traces(readers[4].subscriber_id) == []
    assert report(prepared_mailing).sent == 10
    assert faults(prepared_mailing) == []


def test_a_batch_whose_worker_was_lost(
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


def test_after_the_end_with_retries_behind_it(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription], settings: Any
) -> None:
    """Closed batches hold ids as well: the one with the outcome, and those it went on from."""
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


def test_two_of_one_batch_and_events(
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
    left, settled = (
        {row.subscriber_id for row in model._default_manager.filter(subscriber_id__lt=0)}
        for model in (ReleaseRecipient, Outcome)
    )
    assert len(left) == 2
    assert left == settled


def test_one_number_for_each_release(
    prepared_mailing: Mailing,
    readers: list[Subscription],
    issue: Any,
    write_article: Callable[..., Any],
) -> None:
    """Two releases' rows cannot be put together to one, if nameless, reader."""
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


def test_what_is_left_is_a_keyed_hash_a_reason_and_a_date(
    prepared_mailing: Mailing, readers: list[Subscription]
) -> None:
    TransactionalEmail.objects.create(
        kind=TransactionalEmail.Kind.LINK,
        subscriber=readers[3].subscriber,
        due_at="2026-01-05T00:00:00Z",
    )
    index = bytes(readers[3].subscriber.address_hash)
    erase(readers[3])
    left = Suppression.objects.get()
    assert (bytes(left.address_hash), left.reason) == (index, "erased")
    assert not TransactionalEmail.objects.exists()
    assert Subscription.objects.count() == Subscriber.objects.count() == 9


def test_a_freeze_that_read_the_reader_before_is_looked_at_again(
    prepared_mailing: Mailing, readers: list[Subscription]
) -> None:
    """As if the freeze had committed after the erasure looked, and before it committed."""
    reader = erase(readers[3])
    ReleaseRecipient.objects.filter(subscriber_id__lt=0).update(subscriber_id=reader)
    own_part.forget(reader)
    assert "Reach" not in traces(reader)


def test_an_id_that_only_seems_to_be_in_a_batch() -> None:
    """Ids are packed side by side: the end of one and the beginning of the next is no id."""
    one, two = 0x0102030405060708, 0x0A0B0C0D0E0F1011
    across = 0x05060708_0A0B0C0D
    packed = one.to_bytes(8, "big") + two.to_bytes(8, "big")
    assert list(own_part._holding([(7, packed)], across)) == []
    assert list(own_part._holding([(7, packed)], two)) == [7]


def test_a_reader_is_told_which_releases_reached_them(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    relay.script("r1@readers.example", Result.REFUSED, code=550, status="5.1.1")
    waiting = personal_data.export(readers[0].subscriber)["delivery"]["releases"]
    assert waiting == [{"newsletter": "weekly", "period": "2017-07-24", "results": ["waiting"]}]
    [batch] = protocol.due_batches(5)
    send_batch(batch)
    for number, result in ((0, "sent"), (1, "refused")):
        told = personal_data.export(readers[number].subscriber)["delivery"]["releases"]
        assert [each["results"] for each in told] == [[result]]

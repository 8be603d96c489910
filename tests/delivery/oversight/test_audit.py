"""The audit notices each way in which a reader can go missing or be counted wrongly."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending.batches import pack, unpack
from newsletter.transport.memory import MemoryTransport
from tests.delivery.conftest import send_all_due


def add_outcome(mailing: Mailing, reader: int) -> None:
    Outcome.objects.create(
        mailing_id=mailing.pk, subscriber_id=reader, result=1, source=Outcome.Source.SENDER
    )


def a_stranger_has_an_outcome(mailing: Mailing) -> None:
    add_outcome(mailing, 10**6)


def a_stranger_replaces_a_reader(mailing: Mailing) -> None:
    Batch.objects.update(reader_ids=pack([-1, *readers()[1:]]))


def all_batches_are_lost(mailing: Mailing) -> None:
    Batch.objects.all().delete()


def one_reader_is_missing(mailing: Mailing) -> None:
    Batch.objects.update(reader_ids=pack(readers()[:-1]), size=9)


def one_reader_waits_and_has_an_outcome(mailing: Mailing) -> None:
    add_outcome(mailing, readers()[4])


def one_reader_is_in_a_batch_twice(mailing: Mailing) -> None:
    Batch.objects.update(reader_ids=pack([*readers(), readers()[-1]]), size=11)


def one_reader_is_no_recipient(mailing: Mailing) -> None:
    ReleaseRecipient.objects.filter(subscriber_id=readers()[0]).delete()


def the_count_is_wrong(mailing: Mailing) -> None:
    Mailing.objects.update(readers=11)


def the_checksum_is_wrong(mailing: Mailing) -> None:
    Mailing.objects.update(checksum=1)


def it_finished_too_early(mailing: Mailing) -> None:
    Mailing.objects.update(state=Mailing.State.FINISHED)


def readers() -> list[int]:
    return unpack(Batch.objects.get().reader_ids)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (a_stranger_has_an_outcome, "wasn't in the snapshot"),
        (a_stranger_replaces_a_reader, "wasn't in the snapshot"),
        (all_batches_are_lost, "neither an outcome nor a batch"),
        (one_reader_is_missing, "neither an outcome nor a batch"),
        (one_reader_waits_and_has_an_outcome, "twice"),
        (one_reader_is_in_a_batch_twice, "twice"),
        (one_reader_is_no_recipient, "wasn't in the snapshot"),
        (the_count_is_wrong, "number of readers"),
        (the_checksum_is_wrong, "checksum"),
        (it_finished_too_early, "finished"),
    ],
)
def test_each_fault_is_named(
    prepared_mailing: Mailing, damage: Callable[[Mailing], None], fault: str
) -> None:
    assert audit()[0].faults == []
    damage(prepared_mailing)
    assert fault in " ".join(audit()[0].faults)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_reads_as_of_one_moment(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    assert audit()[0].faults == []
    send_all_due()
    assert audit()[0].report.sent == 10

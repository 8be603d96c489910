"""The audit sees each way in which an account can be wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending.packing import pack, unpack
from newsletter.transport.memory import MemoryTransport
from tests.delivery.conftest import send_all_due


def outcome(mailing: Mailing, reader: int) -> None:
    Outcome.objects.create(
        mailing_id=mailing.pk, subscriber_id=reader, result=1, source=Outcome.Source.SENDER
    )


def a_stranger(mailing: Mailing) -> None:
    outcome(mailing, 10**6)


def a_stranger_among_them(mailing: Mailing) -> None:
    Batch.objects.update(reader_ids=pack([-1, *readers()[1:]]))


def nobody_waits(mailing: Mailing) -> None:
    Batch.objects.all().delete()


def one_is_missing(mailing: Mailing) -> None:
    Batch.objects.update(reader_ids=pack(readers()[:-1]), size=9)


def one_waits_and_was_sent(mailing: Mailing) -> None:
    outcome(mailing, readers()[4])


def one_waits_twice(mailing: Mailing) -> None:
    Batch.objects.update(reader_ids=pack([*readers(), readers()[-1]]), size=11)


def one_was_never_frozen(mailing: Mailing) -> None:
    ReleaseRecipient.objects.filter(subscriber_id=readers()[0]).delete()


def another_count(mailing: Mailing) -> None:
    Mailing.objects.update(readers=11)


def another_checksum(mailing: Mailing) -> None:
    Mailing.objects.update(checksum=1)


def finished_too_early(mailing: Mailing) -> None:
    Mailing.objects.update(state=Mailing.State.FINISHED)


def readers() -> list[int]:
    return unpack(Batch.objects.get().reader_ids)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (a_stranger, "not frozen"),
        (a_stranger_among_them, "not frozen"),
        (nobody_waits, "forgotten"),
        (one_is_missing, "forgotten"),
        (one_waits_and_was_sent, "twice"),
        (one_waits_twice, "twice"),
        (one_was_never_frozen, "not frozen"),
        (another_count, "stored count"),
        (another_checksum, "checksum"),
        (finished_too_early, "finished"),
    ],
)
def test_what_does_not_balance_is_named(
    prepared_mailing: Mailing, spoil: Callable[[Mailing], None], sentence: str
) -> None:
    assert audit()[0].faults == []
    spoil(prepared_mailing)
    assert sentence in " ".join(audit()[0].faults)


@pytest.mark.django_db(transaction=True)
def test_it_reads_one_snapshot_outside_a_transaction(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    assert audit()[0].faults == []
    send_all_due()
    assert audit()[0].account.sent == 10

"""What an hour or a day allows is counted in the ledger, by all workers together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from newsletter.delivery.models import Batch, Mailing, Outcome, TransportUsage
from newsletter.delivery.sending import protocol, rates, transports
from newsletter.delivery.sending.rates import LedgerAllowance
from newsletter.delivery.sending.sender import send_batch
from newsletter.delivery.transactional import outbox
from newsletter.editorial.models import Issue
from newsletter.transport import memory
from newsletter.transport.outcomes import Result
from newsletter.transport.pace.limits import Limits, Rate
from subscribers.models import Subscription, TransactionalEmail
from tests.delivery.conftest import prepare_mailing, reset_transports

DAILY = Limits(rates=(Rate(100, 86_400),))


@pytest.fixture
def limited_mailing(
    settings: Any,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Any],
) -> Iterator[Mailing]:
    """A mailing to ten readers through a relay that allows six a day, five of them for bulk."""
    settings.DELIVERY_TRANSPORTS = ["memory://limited?rate=6/d"]
    reset_transports()
    write_article(issue=issue, en="Minsk looks east")
    yield prepare_mailing(issue)
    reset_transports()


def take_all(allowance: LedgerAllowance, *, urgent: bool = False) -> int:
    taken = 0
    while size := allowance.take(DAILY, urgent=urgent).size:
        taken += size
    return taken


@pytest.mark.django_db
def test_all_workers_count_in_one_row() -> None:
    one, other = LedgerAllowance("smtp://relay"), LedgerAllowance("smtp://relay")
    first = one.take(DAILY, urgent=False).size
    assert first + take_all(other) == 90
    assert take_all(one) == 0
    assert take_all(one, urgent=True) == 10
    assert take_all(LedgerAllowance("smtp://another")) == 90
    assert rates.handed_over_today() == {"smtp://another": 90, "smtp://relay": 100}


@pytest.mark.django_db
def test_what_was_handed_over_without_a_limit_is_counted_too() -> None:
    LedgerAllowance("smtp://relay").note(80)
    LedgerAllowance("smtp://relay").note(5)
    assert rates.handed_over_today() == {"smtp://relay": 85}


def test_a_count_that_cannot_be_stored_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unavailable(_: LedgerAllowance) -> TransportUsage:
        raise OperationalError("gone")

    monkeypatch.setattr("django.db.transaction.Atomic.__enter__", lambda _: None)
    monkeypatch.setattr("django.db.transaction.Atomic.__exit__", lambda *_: None)
    monkeypatch.setattr(LedgerAllowance, "_locked", unavailable)
    LedgerAllowance("smtp://relay").note(80)
    assert "usage-not-counted" in caplog.text


def test_readers_wait_for_an_allowance_that_is_used_up(limited_mailing: Mailing) -> None:
    """The rest of the batch is tried again when there is room, and fails nobody."""
    batch = Batch.objects.get(mailing=limited_mailing)
    assert send_batch(batch.pk)
    assert list(Outcome.objects.values_list("result", flat=True)) == [Result.SENT] * 5
    successor = Batch.objects.get(predecessor=batch)
    assert successor.size == 5
    assert successor.deferred_by == "limit of 6/d reached"
    hours = (successor.due_at - protocol.database_now()).total_seconds() / 3_600
    assert 23.9 < hours < 24.2


def test_single_emails_use_what_bulk_leaves(limited_mailing: Mailing) -> None:
    send_batch(Batch.objects.get(mailing=limited_mailing).pk)
    reader = Subscription.objects.select_related("subscriber").order_by("pk")[0]
    for _ in range(2):
        TransactionalEmail.objects.create(
            kind=TransactionalEmail.Kind.LINK,
            subscriber=reader.subscriber,
            newsletter=reader.newsletter,
            due_at=protocol.database_now(),
        )
    outbox.drain()
    states = TransactionalEmail.objects.order_by("pk").values_list("state", flat=True)
    assert sorted(states) == [TransactionalEmail.State.QUEUED, TransactionalEmail.State.SENT]
    assert len(memory.get_transport("limited").delivered) == 6


def test_the_configured_transports_are_shared_and_counted(prepared_mailing: Mailing) -> None:
    send_batch(Batch.objects.get(mailing=prepared_mailing).pk)
    assert rates.handed_over_today() == {"memory://relay": 10}
    assert transports.preferred().pace.describe().today == 10


@pytest.mark.django_db
def test_a_count_that_limits_nothing_is_written_now_and_then_and_at_the_end() -> None:
    """Each batch would otherwise commit twice."""
    allowance = rates.LedgerAllowance("smtp://relay")
    for _ in range(3):
        allowance.note(10)
    assert rates.handed_over_today() == {"smtp://relay": 10}
    allowance.write()
    assert rates.handed_over_today() == {"smtp://relay": 30}
    allowance.write()
    assert rates.handed_over_today() == {"smtp://relay": 30}

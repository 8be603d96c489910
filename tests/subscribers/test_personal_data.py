"""B9: erasure reaches the intake, and rows are kept no longer than they are needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from newsletter.editorial.models import Newsletter
from subscribers import intake, lifecycle, personal_data
from subscribers.addresses import normalise
from subscribers.models import Intake, Subscriber, Subscription, TransactionalEmail
from tests.subscribers.conftest import ALA, AddReader, Ask

NOON = datetime(2017, 8, 1, 12, 0, 30, tzinfo=UTC)


def sign_up(weekly: Newsletter, address: str) -> None:
    intake.receive_sign_up(
        normalise(address), newsletter=weekly, languages=("en",), page_language="en"
    )


def test_a_sign_up_that_waits_during_the_erasure_is_erased_too(
    add_reader: AddReader, weekly: Newsletter, settings: Any
) -> None:
    subscription = add_reader()
    sign_up(weekly, ALA.upper())
    sign_up(weekly, "other@readers.example")
    # Both are due later than the erasure note, as deferred items are.
    Intake.objects.update(due_at="2099-01-01T00:00:00+00:00")
    keys, settings.WORKER_KEYS = settings.WORKER_KEYS, None
    personal_data.erase(subscription.subscriber)
    settings.WORKER_KEYS = keys
    assert intake.drain(10) == 1
    assert Intake.objects.count() == 1
    Intake.objects.update(due_at="2020-01-01T00:00:00+00:00")
    intake.drain(10)
    assert Subscription.objects.count() == Subscriber.objects.count() == 1


def test_a_sign_up_after_the_erasure_is_accepted(add_reader: AddReader, weekly: Newsletter) -> None:
    personal_data.erase(add_reader().subscriber)
    sign_up(weekly, ALA)
    intake.drain(10)
    intake.drain(10)
    assert Subscription.objects.get().state == Subscription.State.PENDING


def test_an_intake_item_that_cannot_be_opened_is_kept(
    add_reader: AddReader, weekly: Newsletter
) -> None:
    Intake.objects.create(
        kind=Intake.Kind.WEBHOOK, sealed=b"x", sealing_key=9, due_at="2099-01-01T00:00:00+00:00"
    )
    Intake.objects.update(due_at="2099-01-01T00:00:00+00:00")
    personal_data.erase(add_reader().subscriber)
    assert intake.drain(10) == 1
    assert Intake.objects.count() == 1


def test_an_unconfirmed_sign_up_is_deleted_after_a_week(ask: Ask, add_reader: AddReader) -> None:
    asked = datetime(2017, 8, 1, 9, 30, tzinfo=UTC)
    ask()
    active = add_reader("en", address="bo@readers.example")
    assert personal_data.prune(asked + timedelta(days=6)) == 0
    assert personal_data.prune(asked + timedelta(days=8)) == 1
    assert list(Subscription.objects.all()) == [active]
    assert Subscriber.objects.count() == 1


def test_pruning_a_strangers_sign_up_keeps_the_evidence_of_a_former_reader(
    add_reader: AddReader, ask: Ask
) -> None:
    subscription = add_reader("en")
    lifecycle.unsubscribe(subscription.pk)
    ask("be")
    personal_data.prune(datetime(2017, 8, 20, tzinfo=UTC))
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.UNSUBSCRIBED
    assert subscription.consents.count() == 3


def test_transactional_emails_are_deleted_30_days_after_they_ended(
    add_reader: AddReader, ask: Ask
) -> None:
    add_reader("en")
    with time_machine.travel(NOON, tick=False):
        ask()
    after = NOON + timedelta(days=31)
    for state, left in (("queued", 1), ("unknown", 1), ("sent", 0)):
        TransactionalEmail.objects.update(state=state)
        personal_data.prune(NOON + timedelta(days=29))
        assert TransactionalEmail.objects.count() == 1
        personal_data.prune(after)
        assert TransactionalEmail.objects.count() == left

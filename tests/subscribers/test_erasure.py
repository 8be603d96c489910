"""B9: what waits in the inbox from an erased reader is erased too."""

from __future__ import annotations

from typing import Any

from newsletter.editorial.models import Newsletter
from subscribers import intake, personal_data
from subscribers.addresses import normalise
from subscribers.models import Intake, Subscriber, Subscription
from tests.subscribers.conftest import ALA, AddReader


def sign_up(weekly: Newsletter, address: str) -> None:
    intake.receive_sign_up(
        normalise(address), newsletter=weekly, languages=("en",), page_language="en"
    )


def test_a_sign_up_from_before_does_not_bring_the_reader_back(
    add_reader: AddReader, weekly: Newsletter, settings: Any
) -> None:
    subscription = add_reader()
    sign_up(weekly, ALA.upper())
    sign_up(weekly, "other@readers.example")
    # It waits, as one that was postponed does; the note is opened before it.
    Intake.objects.update(due_at="2099-01-01T00:00:00+00:00")
    keys, settings.WORKER_KEYS = settings.WORKER_KEYS, None
    personal_data.erase(subscription.subscriber)
    settings.WORKER_KEYS = keys
    assert intake.drain(10) == 1
    assert Intake.objects.count() == 1
    Intake.objects.update(due_at="2020-01-01T00:00:00+00:00")
    intake.drain(10)
    assert Subscription.objects.count() == Subscriber.objects.count() == 1


def test_a_new_sign_up_after_the_erasure_counts(add_reader: AddReader, weekly: Newsletter) -> None:
    personal_data.erase(add_reader().subscriber)
    sign_up(weekly, ALA)
    intake.drain(10)
    intake.drain(10)
    assert Subscription.objects.get().state == Subscription.State.PENDING


def test_what_cannot_be_opened_is_left_as_it_is(add_reader: AddReader, weekly: Newsletter) -> None:
    Intake.objects.create(
        kind=Intake.Kind.WEBHOOK, sealed=b"x", sealing_key=9, due_at="2099-01-01T00:00:00+00:00"
    )
    Intake.objects.update(due_at="2099-01-01T00:00:00+00:00")
    personal_data.erase(add_reader().subscriber)
    assert intake.drain(10) == 1
    assert Intake.objects.count() == 1

"""Fixtures that add readers and sign-ups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle
from subscribers.addresses import normalise
from subscribers.antiabuse import form_checks
from subscribers.lifecycle import SignupRequest
from subscribers.models import Subscription

ALA = "Ala.Reader+tag@readers.example"


def filled(**data: object) -> dict[str, object]:
    """Return the form's data as a person sends it, a minute after it was shown."""
    with time_machine.travel(datetime.now(tz=UTC) - timedelta(minutes=1), tick=False):
        timestamp = form_checks.sign_timestamp()
    return {"newsletter": "weekly", "email": ALA, "choices": ["en"], "stamp": timestamp, **data}


AddReader = Callable[..., Subscription]
Ask = Callable[..., Subscription | None]


@pytest.fixture
def add_reader(weekly: Newsletter) -> AddReader:
    """A function that adds a confirmed reader, as in `add_reader("be", "ru", topics={3})`."""

    def add(*languages: str, address: str = ALA, **columns: object) -> Subscription:
        subscription = lifecycle.add_confirmed(
            address,
            newsletter=weekly,
            languages=languages or ("en",),
            page_language=str(columns.pop("page_language", languages[0] if languages else "en")),
            source=Subscription.Source.OPERATOR,
        )
        Subscription.objects.filter(pk=subscription.pk).update(**columns)
        subscription.refresh_from_db()
        return subscription

    return add


@pytest.fixture
def ask(weekly: Newsletter) -> Ask:
    """A function that signs up for the weekly as a worker does, without the intake."""

    def request(
        *languages: str, address: str = ALA, page_language: str = "en"
    ) -> Subscription | None:
        lifecycle.sign_up(
            normalise(address),
            SignupRequest(
                newsletter_id=weekly.pk,
                languages=languages or ("en",),
                page_language=page_language,
                wording="I want it.",
                asked_at=datetime(2017, 8, 1, 9, 30, 42, tzinfo=UTC),
            ),
        )
        return Subscription.objects.order_by("pk").last()

    return request

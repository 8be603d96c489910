"""A mailing whose outcomes are unknown, two readers, and hooks with secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from newsletter.delivery.message_ids import MAILING, MessageTrace, delivery_id_factory
from newsletter.delivery.models import Event, Mailing, Outcome, Release
from newsletter.delivery.sending.provider_messages import store_provider_messages
from newsletter.delivery.tasks import drain_webhooks
from newsletter.editorial.models import Newsletter
from newsletter.transport.outcomes import Result
from subscribers.models import Subscriber, Subscription, Suppression
from tests.delivery.conftest import AddReader
from tests.delivery.feedback.payloads import Who
from tests.delivery.feedback.signing import secrets

ALA, BORYS = "ala@readers.example", "borys@readers.example"


def delivery_id(trace: MessageTrace) -> str:
    """Return the delivery ID of the email that the trace describes."""
    return delivery_id_factory(trace.kind, trace.mailing_id)(trace.subscriber_id)


@pytest.fixture(autouse=True)
def hooks(settings: Any) -> None:
    """Every provider's hook is switched on."""
    settings.SITE_URL = "https://news.example.org"
    settings.WEBHOOK_SECRETS = secrets()
    settings.WEBHOOKS = list(secrets())


@dataclass(frozen=True)
class SentMailing:
    """A mailing that is being sent, and its readers."""

    mailing: Mailing
    readers: dict[str, Subscriber]

    def who(self, address: str, **facts: Any) -> Who:
        """Return the recipient as a provider knows them: with our metadata, and its own ID."""
        reader = self.readers[address].pk
        trace = MessageTrace(MAILING, self.mailing.pk, reader)
        return Who(address, delivery_id(trace), self.message_id(reader), **facts)

    def message_id(self, reader: int) -> str:
        return f"<{self.mailing.pk}-{reader}@provider.example>"

    def result(self, address: str) -> Result:
        outcome = Outcome.objects.get(
            mailing_id=self.mailing.pk, subscriber_id=self.readers[address].pk
        )
        return Result(outcome.result)

    def events(self, address: str) -> list[tuple[str, str, str]]:
        """Return kind, status and fault of each event of a reader."""
        rows = Event.objects.filter(
            subscriber_id=self.readers[address].pk, mailing_id=self.mailing.pk
        )
        return list(rows.order_by("pk").values_list("kind", "status", "fault"))

    def is_subscribed(self, address: str) -> bool:
        state = Subscription.objects.get(subscriber=self.readers[address]).state
        return state == Subscription.State.ACTIVE

    def suppression(self, address: str) -> str:
        """Return the reason why the address is suppressed, or ""."""
        digest = bytes(self.readers[address].address_hash)
        row = Suppression.objects.filter(address_hash=digest).first()
        return row.reason if row else ""


MakeMailing = Callable[..., SentMailing]


@pytest.fixture
def readers(add_reader: AddReader) -> dict[str, Subscriber]:
    return {address: add_reader(address).subscriber for address in (ALA, BORYS)}


@pytest.fixture
def make_mailing(weekly: Newsletter, readers: dict[str, Subscriber]) -> MakeMailing:
    """A function that makes a mailing to the two readers: make_mailing("2017-07-24")."""

    def make(period: str = "2017-07-24", *, result: Result = Result.UNKNOWN) -> SentMailing:
        release = Release.objects.create(newsletter=weekly, period=period)
        mailing = Mailing.objects.create(release=release, state=Mailing.State.SENDING, readers=2)
        for reader in readers.values():
            Outcome.objects.create(
                mailing_id=mailing.pk, subscriber_id=reader.pk, result=result, source="rescue"
            )
        made = SentMailing(mailing, readers)
        store_provider_messages(
            mailing.pk, [(reader.pk, made.message_id(reader.pk)) for reader in readers.values()]
        )
        return made

    return make


@pytest.fixture
def sent(make_mailing: MakeMailing) -> SentMailing:
    return make_mailing()


def drain() -> int:
    """Read what has arrived, as a worker does."""
    return drain_webhooks(100)

"""Too many bounces or complaints warn staff, or pause the mailing (D4)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from newsletter.delivery.feedback import rates
from newsletter.delivery.feedback.rates import Numbers, Verdict, decide
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Batch, Edition, Event, Mailing, MailingRates, Outcome
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.report import report
from newsletter.delivery.signals import alert
from newsletter.transport.outcomes import Fault, Result
from subscribers.models import Subscriber, Suppression
from tests.delivery.feedback.conftest import MakeMailing, delivery_id, drain
from tests.delivery.feedback.payloads import Who, body
from tests.delivery.feedback.signing import send

OK, WARN, PAUSE = Verdict.OK, Verdict.WARN, Verdict.PAUSE


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (Numbers(100_000, bounced=1_999), OK),
        (Numbers(100_000, bounced=2_000), WARN),
        (Numbers(100_000, bounced=3_000), WARN),
        (Numbers(100_000, bounced=4_999), WARN),
        (Numbers(100_000, bounced=5_000), PAUSE),
        (Numbers(100_000, complained=99), OK),
        (Numbers(100_000, complained=100), WARN),
        (Numbers(100_000, complained=300), PAUSE),
        (Numbers(3, bounced=1), OK),
        (Numbers(3, bounced=3, complained=3), OK),
        (Numbers(300, complained=1), OK),
        (Numbers(60, bounced=2), OK),
        (Numbers(60, bounced=3), PAUSE),
        (Numbers(0), OK),
    ],
)
def test_d4_the_rates_decide(numbers: Numbers, expected: Verdict) -> None:
    assert decide(numbers) is expected


def test_d4_a_resumed_mailing_is_not_paused_for_the_same_numbers() -> None:
    paused_at = Numbers(10_000, bounced=600).bounce_rate
    assert decide(Numbers(10_000, bounced=600), paused_at_bounced=paused_at) is WARN
    assert decide(Numbers(100_000, bounced=6_100), paused_at_bounced=paused_at) is WARN
    assert decide(Numbers(100_000, bounced=9_100), paused_at_bounced=paused_at) is PAUSE
    assert decide(Numbers(10_000, complained=40), paused_at_bounced=paused_at) is PAUSE


@pytest.fixture
def alerts() -> Iterator[list[tuple[str, int, str]]]:
    """The alerts that were sent: kind, mailing, detail."""
    found: list[tuple[str, int, str]] = []

    def receive(*, kind: str, mailing_id: int, detail: str, **_kwargs: Any) -> None:
        found.append((kind, mailing_id, detail))

    alert.connect(receive)
    yield found
    alert.disconnect(receive)


@pytest.fixture
def mailing(make_mailing: MakeMailing) -> Mailing:
    """A mailing of which 100 emails were accepted."""
    mailing = make_mailing(result=Result.SENT).mailing
    Outcome.objects.bulk_create(
        Outcome(mailing_id=mailing.pk, subscriber_id=-n, result=Result.SENT, source="sender")
        for n in range(98)
    )
    mailing.snapshot_at = timezone.now()
    mailing.save()
    return mailing


def react(mailing: Mailing, kind: str, *readers: int, fault: Fault = Fault.READER) -> None:
    """Let readers react, and let the circuit breaker see it."""
    Event.objects.bulk_create(
        Event(
            key=os.urandom(32),
            kind=kind,
            mailing_id=mailing.pk,
            subscriber_id=reader,
            fault=fault,
            on=datetime.now(UTC).date(),
        )
        for reader in readers
    )
    rates.note({mailing.pk})
    MailingRates.objects.update(checked_at=None)
    rates.check_all()
    mailing.refresh_from_db()


def test_d4_a_mailing_is_warned_about_once_and_then_paused(
    mailing: Mailing, alerts: list[tuple[str, int, str]]
) -> None:
    react(mailing, "bounced", 1)
    assert alerts == []
    react(mailing, "bounced", 2, 3)
    react(mailing, "deferred", *range(10, 90))
    react(mailing, "bounced", 4)
    assert mailing.state == Mailing.State.SENDING
    assert [each[:2] for each in alerts] == [("rates-warning", mailing.pk)]
    react(mailing, "rejected", 4, 5)
    assert mailing.state == Mailing.State.PAUSED
    assert mailing.hold == Mailing.Hold.RATES
    assert mailing.hold_facts == {"accepted": 100, "bounced": 5, "complained": 0, "blocked": 0}
    assert alerts[1:] == [
        ("rates-paused", mailing.pk, "5 of 100 emails bounced (5.0%), 0 readers complained (0.00%)")
    ]


def test_d4_after_it_is_resumed_it_is_not_paused_for_the_same_numbers(
    mailing: Mailing, alerts: list[tuple[str, int, str]]
) -> None:
    react(mailing, "complained", 1, 2)
    assert mailing.state == Mailing.State.PAUSED
    assert control.resume(mailing)
    react(mailing, "complained", 2)
    assert mailing.state == Mailing.State.SENDING
    react(mailing, "complained", 3)
    assert mailing.state == Mailing.State.PAUSED
    assert [kind for kind, _, _ in alerts].count("rates-paused") == 2


def test_d4_posted_bounces_pause_a_mailing_at_once_and_its_report_balances(
    mailing: Mailing,
    alerts: list[tuple[str, int, str]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    """A check follows the commit; no tick is needed."""
    traces = [MessageTrace(MAILING, mailing.pk, reader.pk) for reader in _add_readers(mailing, 6)]
    bounced = [Who(f"r{n}@readers.example", delivery_id(t)) for n, t in enumerate(traces)]
    assert send("sendgrid", body("sendgrid", "hard", *bounced)) == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert drain() == 1
    mailing.refresh_from_db()
    assert (mailing.state, mailing.hold) == (Mailing.State.PAUSED, Mailing.Hold.RATES)
    assert [kind for kind, _, _ in alerts] == ["rates-paused"]
    assert Suppression.objects.count() == 6
    assert control.resume(mailing)
    assert report(mailing).balances
    MailingRates.objects.update(pending=True, checked_at=None)
    assert rates.check_all() == 0


def _add_readers(mailing: Mailing, number: int) -> list[Subscriber]:
    """Let readers take the place of those whose outcomes are numbered -1, -2 …"""
    readers = [
        Subscriber.objects.create(
            sealed_address=b"", storage_key=1, address_hash=bytes([n]) * 32, address_hash_key=1
        )
        for n in range(number)
    ]
    for position, reader in enumerate(readers, start=1):
        Outcome.objects.filter(mailing_id=mailing.pk, subscriber_id=-position).update(
            subscriber_id=reader.pk
        )
    Mailing.objects.filter(pk=mailing.pk).update(readers=100)
    return readers


def test_d2_blocks_raise_an_alert(mailing: Mailing, alerts: list[tuple[str, int, str]]) -> None:
    react(mailing, "bounced", 1, 2, fault=Fault.SENDER)
    assert alerts == []
    react(mailing, "bounced", 3, fault=Fault.MESSAGE)
    react(mailing, "bounced", 4, fault=Fault.MESSAGE)
    assert [kind for kind, _, _ in alerts].count("blocked") == 1


def test_a_mailing_is_checked_once_in_a_few_seconds(mailing: Mailing) -> None:
    react(mailing, "bounced", 1)
    Event.objects.bulk_create(
        Event(
            key=bytes([n]), kind="bounced", mailing_id=mailing.pk, subscriber_id=n, on="2017-08-01"
        )
        for n in range(2, 20)
    )
    rates.note({mailing.pk})
    assert rates.check_all() == 0
    assert MailingRates.objects.get().pending, "the next tick looks again"
    MailingRates.objects.update(checked_at=datetime.now(UTC) - timedelta(seconds=6))
    assert rates.check_all() == 1


def test_a_mailing_that_has_ended_is_not_paused(
    mailing: Mailing, alerts: list[tuple[str, int, str]]
) -> None:
    Mailing.objects.update(state=Mailing.State.FINISHED)
    react(mailing, "bounced", *range(1, 20))
    assert mailing.state == Mailing.State.FINISHED
    assert [kind for kind, _, _ in alerts] == ["rates-warning"]


def test_emails_of_running_batches_count_as_accepted(mailing: Mailing) -> None:
    edition = Edition.objects.create(
        mailing=mailing, key="k", public_id="p", language="en", subject="s", text="t", headers={}
    )
    Batch.objects.create(
        mailing=mailing,
        edition=edition,
        state=Batch.State.CLAIMED,
        reader_ids=b"",
        size=3,
        results=bytes([Result.SENT, Result.SENT, Result.REFUSED]),
        due_at=datetime.now(UTC),
    )
    assert rates.count(mailing.pk) == Numbers(102)

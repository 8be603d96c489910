"""What a recorded report does: outcomes, suppressions, and what an older one must not undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from newsletter.delivery.feedback.events import Feedback, event_key
from newsletter.delivery.feedback.record import record, record_many
from newsletter.delivery.message_ids import MAILING, TRANSACTIONAL, MessageTrace
from newsletter.delivery.models import Event, Mailing, Outcome
from newsletter.editorial.models import User
from newsletter.transport.outcomes import Fault, Result
from subscribers import intake, lifecycle, personal_data, suppression
from subscribers.addresses import normalise
from subscribers.models import (
    LiftedSuppression,
    Subscription,
    Suppression,
    TransactionalEmail,
)
from tests.delivery.feedback.conftest import ALA, BORYS, MakeMailing, SentMailing

Kind = Event.Kind
NOW = datetime.now(UTC)
Report = Callable[..., Feedback]


def report_about(sent: SentMailing, kind: Kind, address: str = ALA, **facts: Any) -> Feedback:
    """Return a report, by default that the reader's mailbox is to blame."""
    reader = sent.readers[address].pk
    at = facts.pop("at", NOW)
    key = event_key("test", f"{sent.mailing.pk} {at}", recipient=str(reader), kind=kind.value)
    facts = {"fault": Fault.NONE if kind == Kind.DELIVERED else Fault.READER, **facts}
    trace = MessageTrace(MAILING, sent.mailing.pk, reader)
    return Feedback("test", kind, key, at, trace, **facts)


@pytest.mark.parametrize(
    ("kind", "fault", "expected"),
    [
        (Kind.ACCEPTED, Fault.NONE, Result.SENT),
        (Kind.DELIVERED, Fault.NONE, Result.SENT),
        (Kind.BOUNCED, Fault.READER, Result.SENT),
        (Kind.DEFERRED, Fault.READER, Result.SENT),
        (Kind.COMPLAINED, Fault.READER, Result.SENT),
        (Kind.REJECTED, Fault.READER, Result.REFUSED),
        (Kind.REJECTED, Fault.MESSAGE, Result.FAILED),
    ],
)
def test_e6_a_report_settles_an_unknown_outcome(
    sent: SentMailing, kind: Kind, fault: Fault, expected: Result
) -> None:
    assert record(report_about(sent, kind, fault=fault)) is (kind != Kind.ACCEPTED)
    assert sent.result(ALA) is expected
    assert sent.result(BORYS) is Result.UNKNOWN
    assert Outcome.objects.get(subscriber_id=sent.readers[ALA].pk).source == "event"


def test_a_known_outcome_never_changes(make_mailing: MakeMailing) -> None:
    sent = make_mailing(result=Result.REFUSED)
    record(report_about(sent, Kind.DELIVERED))
    assert sent.result(ALA) is Result.REFUSED


def test_d10_a_report_counts_once(sent: SentMailing) -> None:
    report = report_about(sent, Kind.BOUNCED, status="5.2.1")
    assert record(report) is True
    assert record(report) is False
    assert record_many([report, report]) == 0
    other = report_about(sent, Kind.BOUNCED, BORYS, status="5.2.1")
    assert record_many([report, other, other]) == 1


def test_d2_three_hard_bounces_on_different_days(make_mailing: MakeMailing) -> None:
    for day in range(3):
        sent = make_mailing(f"2017-07-{day + 1:02}")
        assert sent.is_subscribed(ALA)
        at = NOW - timedelta(days=3 - day)
        record(report_about(sent, Kind.BOUNCED, status="5.2.1", at=at))
    assert sent.suppression(ALA) == "bounced"
    assert not sent.is_subscribed(ALA)
    assert sent.is_subscribed(BORYS)


def soft_bounces(make_mailing: MakeMailing, *, result: Result) -> list[Feedback]:
    """Make five weekly mailings, and return a soft bounce of each."""
    return [
        report_about(
            make_mailing(f"2017-07-{week + 1:02}", result=result),
            Kind.DEFERRED,
            status="4.2.2",
            at=NOW - timedelta(weeks=5 - week),
        )
        for week in range(5)
    ]


def test_d2_four_soft_bounces_in_four_weeks(make_mailing: MakeMailing) -> None:
    *first, last = soft_bounces(make_mailing, result=Result.UNKNOWN)
    record_many(first)
    assert not Suppression.objects.exists()
    record(last)
    assert Suppression.objects.get().reason == "bounced"


def test_d2_a_delivery_in_between_resets_the_count(make_mailing: MakeMailing) -> None:
    reports = soft_bounces(make_mailing, result=Result.UNKNOWN)
    assert reports[2].trace is not None
    delivered = replace(reports[2], kind=Kind.DELIVERED, key=b"d" * 32)
    record_many([*reports[:2], delivered, *reports[3:]])
    assert not Suppression.objects.exists()


def test_d2_an_issue_without_a_bounce_counts_as_delivered(make_mailing: MakeMailing) -> None:
    """Some providers, and a relay, never say “delivered”."""
    reports = soft_bounces(make_mailing, result=Result.SENT)
    record_many([*reports[:2], *reports[3:]])
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("kind", [Kind.BOUNCED, Kind.DEFERRED])
def test_d2_d7_what_is_not_the_readers_fault_never_counts(
    make_mailing: MakeMailing, kind: Kind
) -> None:
    for week in range(6):
        sent = make_mailing(f"2017-07-{week + 1:02}")
        at = NOW - timedelta(weeks=6 - week)
        record(report_about(sent, kind, status="5.7.1", fault=Fault.SENDER, at=at))
    assert not Suppression.objects.exists()
    assert Event.objects.filter(fault="sender").count() == 6


def test_the_order_in_which_reports_arrive_does_not_matter(sent: SentMailing) -> None:
    reports = [
        report_about(sent, Kind.DELIVERED, at=NOW - timedelta(minutes=3)),
        report_about(sent, Kind.BOUNCED, status="5.1.1", at=NOW - timedelta(minutes=2)),
        report_about(sent, Kind.COMPLAINED, at=NOW - timedelta(minutes=1)),
    ]
    for order in permutations(reports):
        Event.objects.all().delete()
        Suppression.objects.all().delete()
        for report in order:
            record(report)
        # A complaint is stronger than a bounce (B9).
        assert sent.suppression(ALA) == "complained"
        assert not sent.is_subscribed(ALA)
        assert sent.result(ALA) is Result.SENT


def test_an_old_unsubscription_does_not_end_a_newer_subscription(sent: SentMailing) -> None:
    record(report_about(sent, Kind.UNSUBSCRIBED, at=NOW - timedelta(days=2)))
    assert sent.is_subscribed(ALA)
    record(report_about(sent, Kind.UNSUBSCRIBED))
    assert not sent.is_subscribed(ALA)
    assert sent.suppression(ALA) == ""


def test_d3_a_complaint_is_obeyed_everywhere(sent: SentMailing) -> None:
    """By the snapshot and the second read, at sign-up, and when the operator adds a reader."""
    from subscribers import audience

    weekly = sent.mailing.release.newsletter
    ids = [reader.pk for reader in sent.readers.values()]
    assert set(audience.still_wanted(weekly.pk, ids)) == set(ids)
    record(report_about(sent, Kind.COMPLAINED))
    Subscription.objects.update(state=Subscription.State.ACTIVE)
    assert set(audience.still_wanted(weekly.pk, ids)) == {sent.readers[BORYS].pk}
    assert [reader for _, _, reader in audience.stream(weekly)] == [sent.readers[BORYS].pk]
    intake.receive_sign_up(normalise(ALA), newsletter=weekly, languages=("en",), page_language="en")
    intake.drain(10)
    assert not TransactionalEmail.objects.exists()
    with pytest.raises(lifecycle.SuppressedError):
        lifecycle.add_confirmed(
            ALA, newsletter=weekly, languages=("en",), page_language="en", source="operator"
        )


def test_staff_can_lift_a_suppression_and_old_events_stay_without_effect(
    sent: SentMailing, editor: User
) -> None:
    """B12: who lifted it, and when, is recorded."""
    record(report_about(sent, Kind.BOUNCED, status="5.1.1"))
    digest = bytes(sent.readers[ALA].address_hash)
    assert suppression.lift(digest, by=editor) is True
    assert suppression.lift(digest, by=editor) is False
    assert sent.suppression(ALA) == ""
    assert not sent.is_subscribed(ALA), "only a new sign-up subscribes again"
    lifted = LiftedSuppression.objects.get()
    assert (lifted.reason, lifted.lifted_by, lifted.subscriber_id) == (
        "bounced",
        editor,
        sent.readers[ALA].pk,
    )
    record(report_about(sent, Kind.COMPLAINED, at=NOW - timedelta(hours=1)))
    assert sent.suppression(ALA) == ""
    record(report_about(sent, Kind.COMPLAINED, at=datetime.now(UTC) + timedelta(seconds=1)))
    assert sent.suppression(ALA) == "complained"


def test_a_report_about_a_single_email_suppresses_too(sent: SentMailing) -> None:
    reader = sent.readers[ALA]
    email = TransactionalEmail.objects.create(
        kind="link", subscriber=reader, due_at=NOW, state=TransactionalEmail.State.UNKNOWN
    )
    trace = MessageTrace(TRANSACTIONAL, email.pk, reader.pk)
    report = Feedback("test", Kind.BOUNCED, b"k" * 32, NOW, trace, fault=Fault.READER)
    assert record(report) is True
    assert sent.suppression(ALA) == "bounced"
    email.refresh_from_db()
    assert email.state == TransactionalEmail.State.SENT
    assert Event.objects.get().mailing_id is None


def test_a_report_about_somebody_unknown_is_only_counted(
    sent: SentMailing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stranger = MessageTrace(MAILING, 999_999, 999_999)
    staff = MessageTrace(3, 1, sent.readers[ALA].pk)
    for trace, message_id in ((stranger, ""), (staff, ""), (None, "gone"), (None, "")):
        report = Feedback(
            "mailgun", Kind.COMPLAINED, b"k" * 32, NOW, trace, message_id, fault=Fault.READER
        )
        assert record(report) is False
    assert not Event.objects.exists()
    assert not Suppression.objects.exists()
    assert caplog.text.count("action=feedback-unmatched mailgun=1") == 4


def test_c9_a_message_id_that_one_reader_has_identifies_them(sent: SentMailing) -> None:
    reader = sent.readers[ALA].pk
    message_id = sent.message_id(reader)
    record(Feedback("x", Kind.COMPLAINED, b"k" * 32, NOW, None, message_id, fault=Fault.READER))
    assert sent.suppression(ALA) == "complained"
    assert sent.suppression(BORYS) == ""


def test_an_erased_reader_keeps_no_event(sent: SentMailing) -> None:
    report = report_about(sent, Kind.BOUNCED, status="5.1.1")
    personal_data.erase(sent.readers[ALA])
    record(report)
    assert Event.objects.get().subscriber_id is None


def test_a_closed_mailing_stays_forgotten(sent: SentMailing) -> None:
    Mailing.objects.update(state=Mailing.State.CLOSED)
    record(report_about(sent, Kind.COMPLAINED))
    assert Event.objects.get().mailing_id is None
    assert sent.suppression(ALA) == "complained"

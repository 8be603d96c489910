"""How long feedback is remembered (B9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from newsletter.delivery import personal_data
from newsletter.delivery.feedback import memory
from newsletter.delivery.feedback.record import record
from newsletter.delivery.models import Event, Mailing, Outcome, ProviderMessage
from newsletter.delivery.oversight import retention
from newsletter.transport.outcomes import Result
from subscribers.models import Suppression
from tests.delivery.feedback.conftest import ALA, BORYS, MakeMailing, SentMailing
from tests.delivery.feedback.test_record import report_about

Kind = Event.Kind
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=100)


def close(sent: SentMailing) -> None:
    Mailing.objects.filter(pk=sent.mailing.pk).update(
        state=Mailing.State.FINISHED, finished_at=LONG_AGO
    )
    Outcome.objects.filter(mailing_id=sent.mailing.pk).update(result=Result.SENT)
    assert retention.collapse(NOW) == 1


def test_a_closed_mailing_forgets_its_readers_but_a_bounce_still_counts(
    make_mailing: MakeMailing,
) -> None:
    """D2: four issues in four weeks, also if RETENTION_DAYS is shorter than that."""
    for week in range(5):
        sent = make_mailing(f"2017-07-{week + 1:02}")
        at = NOW - timedelta(weeks=5 - week)
        record(report_about(sent, Kind.DEFERRED, at=at))
        record(report_about(sent, Kind.DEFERRED, at=at + timedelta(hours=1)))
        record(report_about(sent, Kind.DELIVERED, BORYS, at=at))
        if week < 4:
            close(sent)
            assert not Event.objects.filter(mailing_id=sent.mailing.pk).exists()
    assert not ProviderMessage.objects.exclude(mailing_id=sent.mailing.pk).exists()
    assert Suppression.objects.get().reason == "bounced"


def test_a_delivery_is_not_forgotten_with_its_mailing(make_mailing: MakeMailing) -> None:
    """D2: it has reset the count."""
    for week in range(7):
        sent = make_mailing(f"2017-07-{week + 1:02}")
        if week != 2:
            record(report_about(sent, Kind.DEFERRED, at=LONG_AGO - timedelta(weeks=7 - week)))
        close(sent)
    assert not Suppression.objects.exists()
    assert Event.objects.filter(subscriber_id=sent.readers[ALA].pk).count() == 4


def test_an_event_is_deleted_when_it_no_longer_counts(sent: SentMailing) -> None:
    record(report_about(sent, Kind.DEFERRED, at=NOW - timedelta(days=181)))
    record(report_about(sent, Kind.DEFERRED, at=NOW - timedelta(days=179)))
    assert memory.prune(NOW) == 1
    assert Event.objects.count() == 1


def test_erasure_takes_the_reader_out_of_events_and_message_ids(sent: SentMailing) -> None:
    record(report_about(sent, Kind.DEFERRED))
    reader = sent.readers[ALA]
    personal_data.erase(reader)
    assert not Event.objects.filter(subscriber_id=reader.pk).exists()
    assert [row.subscriber_id for row in ProviderMessage.objects.all()] == [sent.readers[BORYS].pk]

"""The monthly round-up, from the schedule to the message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from newsletter.delivery.models import Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.oversight import control, kill_switch, retention
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.planning import dispatch, snapshot, start
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.editorial.schedule import Month
from newsletter.local import message_view
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.approving import approve
from tests.delivery.conftest import AddReader, dispatch_concurrently, send_all_due

pytestmark = pytest.mark.slow
Write = Callable[..., Article]
JULY = Month(2017, 7)
MONDAYS = [date(2017, 7, 3), date(2017, 7, 10), date(2017, 7, 17), date(2017, 7, 24)]
# When August's first issue is due, at 9:00 in Minsk.
DUE = datetime(2017, 8, 7, 6, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def scheduled(weekly: Newsletter) -> Newsletter:
    Newsletter.objects.update(schedule_active=True, schedule_since=datetime(2017, 1, 1, tzinfo=UTC))
    weekly.refresh_from_db()
    return weekly


@pytest.fixture
def july(scheduled: Newsletter, relay: MemoryTransport, write_article: Write) -> list[Issue]:
    """Four approved issues with one article each in all languages, and August's first issue."""
    issues = []
    for monday in [*MONDAYS, date(2017, 7, 31)]:
        issue = Issue.objects.create(
            newsletter=scheduled, starts_on=monday, ends_on=monday + timedelta(days=6)
        )
        write_article(
            issue=issue,
            published_at=datetime(2017, 7, 1, tzinfo=UTC),
            en=f"Week of {monday.day}",
            be=f"Тыдзень {monday.day}",
            ru=f"Неделя {monday.day}",
        )
        issues.append(approve(issue))
    return issues


def tick(at: datetime) -> None:
    """Do what the workers do at that minute, twice."""
    with time_machine.travel(at, tick=False):
        for _ in range(2):
            dispatch.dispatch()
            dispatch.prepare_waiting()
            send_all_due()
            dispatch.dispatch()


def send_july() -> None:
    for monday in MONDAYS:
        tick(datetime(monday.year, monday.month, monday.day, 6, tzinfo=UTC) + WEEK)


def round_up() -> Mailing:
    return Mailing.objects.get(release__kind=Release.Kind.MONTHLY)


def subjects(relay: MemoryTransport, name: str) -> list[str]:
    return [str(message.parsed["Subject"]) for message in relay.to(f"{name}@readers.example")]


def test_the_round_up_reaches_monthly_readers_once(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader, client: Client
) -> None:
    add_reader("weekly@readers.example", "en")
    add_reader("ala@readers.example", "be", "ru", frequency="monthly")
    add_reader("ann@readers.example", "en", frequency="monthly", content="full")
    add_reader("ida@readers.example", "en", frequency="monthly", plain_text=True)
    send_july()
    assert subjects(relay, "ala") == []
    assert len(subjects(relay, "weekly")) == 4
    tick(DUE)
    assert subjects(relay, "weekly")[-1] == "Week of 31"
    assert len(subjects(relay, "weekly")) == 5
    assert subjects(relay, "ala") == ["Ліпень 2017: Тыдзень 24"]
    assert subjects(relay, "ann") == subjects(relay, "ida") == ["July 2017: Week of 24"]
    text = message_view.plain_text(relay.to("ann@readers.example")[0].parsed)
    positions = [text.index(f"Week of {monday.day}: lead") for monday in reversed(MONDAYS)]
    assert positions == sorted(positions), "the newest week comes first"
    assert "Week of 31" not in text
    assert ": text." not in text
    mailing = round_up()
    assert (mailing.state, mailing.readers) == (Mailing.State.FINISHED, 3)
    assert all(finding.faults == [] for finding in audit())
    assert mailing.release.issue is None
    edition = Edition.objects.filter(mailing=mailing, language="be").get()
    page = client.get(f"/view/{edition.public_id}/")
    assert page.status_code == 200
    assert "Тыдзень 24" in page.content.decode()
    before = len(relay.delivered)
    tick(DUE + timedelta(minutes=1))
    tick(DUE + WEEK - timedelta(minutes=1))
    assert len(relay.delivered) == before


def test_without_monthly_readers_there_is_no_mailing(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    reader = add_reader("weekly@readers.example", "en")
    send_july()
    tick(DUE)
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()
    # A reader who chooses monthly emails later in the month doesn't get July's.
    Subscription.objects.filter(pk=reader.pk).update(frequency="monthly")
    for later in (timedelta(hours=1), timedelta(days=9)):
        tick(DUE + later)
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()


def test_a_month_without_issues_has_no_mailing(
    scheduled: Newsletter, relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    tick(DUE)
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()


def test_it_only_contains_issues_that_were_approved_and_sent(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    """An editor approved every article, so the round-up needs no second approval."""
    add_reader("weekly@readers.example", "en")
    add_reader("ala@readers.example", "en", frequency="monthly")
    Issue.objects.filter(pk=july[1].pk).update(state=Issue.State.DRAFT)  # so it is held
    send_july()
    approve(july[1])
    Issue.objects.filter(pk=july[2].pk).update(state=Issue.State.DRAFT)  # withdrawn later
    Mailing.objects.filter(release__issue=july[3]).update(state=Mailing.State.CANCELLED)
    tick(DUE)
    text = message_view.plain_text(relay.to("ala@readers.example")[0].parsed)
    assert "Week of 3" in text
    assert not any(f"Week of {monday.day}:" in text for monday in MONDAYS[1:])


def test_an_issue_across_two_months_is_in_the_second_round_up(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    """24 July – 6 August is sent after its last week, on the day of July's round-up."""
    add_reader("ala@readers.example", "en", frequency="monthly")
    july[4].delete()
    Issue.objects.filter(pk=july[3].pk).update(kind=Issue.Kind.WEEKS, ends_on=date(2017, 8, 6))
    approve(july[3])
    send_july()
    tick(DUE)
    assert subjects(relay, "ala") == ["July 2017: Week of 17"]
    tick(datetime(2017, 9, 11, 6, 0, tzinfo=UTC))
    assert subjects(relay, "ala")[1:] == ["August 2017: Week of 24"]


def test_a_break_in_the_next_month_does_not_delay_it(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    Issue.objects.filter(pk=july[4].pk).update(kind=Issue.Kind.BREAK)
    tick(DUE)
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


def test_e3_a_late_round_up_is_held_until_an_editor_sends_it(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    late = DUE + timedelta(days=9)
    tick(late)
    assert (round_up().state, round_up().hold) == (Mailing.State.HELD, Mailing.Hold.LATE)
    assert subjects(relay, "ala") == []
    with time_machine.travel(late, tick=False):
        snapshot.prepare(start.send_round_up(july[0].newsletter, JULY, by=None).pk)
        send_all_due()
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


def test_a_reader_with_nothing_to_read_is_skipped(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "be", frequency="monthly")
    send_july()
    Article.objects.get(issue=july[0]).translations.exclude(language="en").delete()
    for issue in july[1:4]:
        Article.objects.get(issue=issue).translations.exclude(language="ru").delete()
    tick(DUE)
    assert subjects(relay, "ala") == []
    assert [row.result for row in Outcome.objects.filter(mailing_id=round_up().pk)] == [
        Result.SKIPPED
    ]
    assert audit(round_up().pk)[0].faults == []


def test_a_reader_who_switches_to_monthly_gets_the_issue_and_the_round_up(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    """No release twice: the issue, and later the round-up that contains it."""
    reader = add_reader("ala@readers.example", "en")
    send_july()
    lifecycle.change(reader.pk, page_language="en", frequency="monthly")
    tick(DUE)
    expected = [f"Week of {monday.day}" for monday in MONDAYS]
    assert subjects(relay, "ala") == [*expected, "July 2017: Week of 24"]
    releases = ReleaseRecipient.objects.filter(subscriber_id=reader.subscriber_id).values_list(
        "release_id"
    )
    assert len(releases) == len(set(releases)) == 5
    lifecycle.change(reader.pk, page_language="en", frequency="weekly")
    tick(DUE + timedelta(hours=1))
    assert len(subjects(relay, "ala")) == 5


def test_a_change_of_frequency_after_the_snapshot_applies_next_time(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    reader = add_reader("ala@readers.example", "en")
    with time_machine.travel(datetime(2017, 7, 31, 6, tzinfo=UTC), tick=False):
        dispatch.dispatch()
        dispatch.prepare_waiting()
        lifecycle.change(reader.pk, page_language="en", frequency="monthly")
        send_all_due()
    assert subjects(relay, "ala") == ["Week of 24"]


@pytest.mark.django_db(transaction=True)
def test_e1_twenty_dispatchers_make_one_round_up(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    for number in range(5):
        add_reader(f"r{number}@readers.example", "en", frequency="monthly")
    send_july()
    dispatch_concurrently(20, DUE)
    assert Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).count() == 1
    assert [len(subjects(relay, f"r{number}")) for number in range(5)] == [1] * 5


def test_preferred_hours_apply_to_it_too(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader(
        "ala@readers.example",
        "en",
        frequency="monthly",
        preferred_hour=(datetime.now(UTC).hour + 5) % 24,
    )
    send_july()
    tick(DUE)
    assert subjects(relay, "ala") == []
    assert round_up().state == Mailing.State.SENDING
    round_up().batches.update(due_at=DUE)
    send_all_due()
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


def test_the_kill_switch_holds_it_and_retention_closes_it(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader, settings: Any
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    with time_machine.travel(DUE, tick=False):
        dispatch.dispatch()
    kill_switch.engage()
    with pytest.raises(start.CannotSendError, match="The kill switch is on"):
        start.send_round_up(july[0].newsletter, JULY, by=None)
    kill_switch.release()
    assert (round_up().state, round_up().hold) == (Mailing.State.HELD, Mailing.Hold.KILL_SWITCH)
    snapshot.prepare(start.send_round_up(july[0].newsletter, JULY, by=None).pk)
    send_all_due()
    assert len(subjects(relay, "ala")) == 1
    retention.collapse(datetime.now(UTC) + timedelta(days=settings.RETENTION_DAYS + 1))
    assert round_up().state == Mailing.State.CLOSED
    assert round_up().counts["sent"] == 1


def test_unreached_readers_can_be_sent_to_again(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    add_reader("weekly@readers.example", "en")
    send_july()
    with time_machine.travel(DUE, tick=False):
        dispatch.dispatch()
        dispatch.prepare_waiting()
        control.cancel(round_up())
        again = snapshot.prepare(
            start.send_again(round_up().release, Mailing.Audience.UNREACHED, by=None).pk
        )
        send_all_due()
    assert again.readers == 1
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


# --- The command -------------------------------------------------------------------------------
def run(*arguments: str) -> str:
    out = StringIO()
    call_command("send_issue", *arguments, stdout=out)
    return out.getvalue()


def test_the_operator_can_send_it_early(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    out = run("weekly", "2017-07", "--monthly", "--wait")
    assert "1 reader, 1 edition." in out
    assert "Every reader is accounted for." in out
    run("weekly", "2017-07", "--monthly", "--wait")
    tick(DUE)
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


@pytest.mark.parametrize(
    ("month", "message"),
    [
        ("2017-07", "No reader has chosen the monthly round-up"),
        ("2016-07", "No issue of this month has been sent"),
        *[(month, "isn't a month") for month in ("2017-07-24", "July")],
    ],
)
def test_a_round_up_that_cannot_be_sent_is_an_error(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader, month: str, message: str
) -> None:
    add_reader("weekly@readers.example", "en")
    send_july()
    with pytest.raises(CommandError, match=message):
        run("weekly", month, "--monthly")

"""The monthly round-up, from the tick to the mailbox."""

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
from newsletter.delivery.planning import dispatch, snapshot
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.editorial.schedule import Month
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.delivery.conftest import AddReader, dispatch_at_once, send_all_due

pytestmark = pytest.mark.slow

Write = Callable[..., Article]
JULY = Month(2017, 7)
MONDAYS = [date(2017, 7, 3), date(2017, 7, 10), date(2017, 7, 17), date(2017, 7, 24)]
DUE = datetime(2017, 8, 7, 6, 0, tzinfo=UTC)
"""When August's first issue goes out, at 9:00 in Minsk."""
WEEK = timedelta(days=7)


@pytest.fixture
def scheduled(weekly: Newsletter) -> Newsletter:
    Newsletter.objects.update(schedule_active=True, schedule_since=datetime(2017, 1, 1, tzinfo=UTC))
    weekly.refresh_from_db()
    return weekly


@pytest.fixture
def july(scheduled: Newsletter, relay: MemoryTransport, write_article: Write) -> list[Issue]:
    """Four approved issues, one article each in all languages, and August's first."""
    issues = []
    for monday in [*MONDAYS, date(2017, 7, 31)]:
        issue = Issue.objects.create(
            newsletter=scheduled,
            starts_on=monday,
            ends_on=monday + timedelta(days=6),
            state=Issue.State.APPROVED,
        )
        write_article(
            issue=issue,
            published_at=datetime(2017, 7, 1, tzinfo=UTC),
            en=f"Week of {monday.day}",
            be=f"Тыдзень {monday.day}",
            ru=f"Неделя {monday.day}",
        )
        issues.append(issue)
    return issues


def tick(at: datetime) -> None:
    """What the workers do at that minute, each time twice."""
    with time_machine.travel(at, tick=False):
        for _ in range(2):
            dispatch.dispatch()
            dispatch.prepare_waiting()
            send_all_due()
            dispatch.dispatch()


def send_july() -> None:
    for monday in MONDAYS:
        at = datetime(monday.year, monday.month, monday.day, 6, tzinfo=UTC) + WEEK
        tick(at)


def round_up() -> Mailing:
    return Mailing.objects.get(release__kind=Release.Kind.MONTHLY)


def subjects(relay: MemoryTransport, name: str) -> list[str]:
    return [str(mail.parsed["Subject"]) for mail in relay.to(f"{name}@readers.example")]


def test_a_month_end_to_end(
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
    text = relay.to("ann@readers.example")[0].parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    places = [text.index(f"Week of {monday.day}: lead") for monday in reversed(MONDAYS)]
    assert places == sorted(places)  # the newest week first
    assert "Week of 31" not in text
    assert ": text." not in text
    mailing = round_up()
    assert (mailing.state, mailing.readers) == (Mailing.State.FINISHED, 3)
    assert all(finding.faults == [] for finding in audit())
    assert mailing.release.issue is None
    edition = Edition.objects.filter(mailing=mailing, language="be").get()
    seen = client.get(f"/view/{edition.public_id}/")
    assert seen.status_code == 200
    assert "Тыдзень 24" in seen.content.decode()
    before = len(relay.delivered)
    tick(DUE + timedelta(minutes=1))
    tick(DUE + WEEK - timedelta(minutes=1))
    assert len(relay.delivered) == before


def test_where_nobody_is_monthly_there_is_no_send_out(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    reader = add_reader("weekly@readers.example", "en")
    send_july()
    tick(DUE)
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()
    # Nor later in the month, for who chooses it then: July's time is over.
    Subscription.objects.filter(pk=reader.pk).update(frequency="monthly")
    tick(DUE + timedelta(hours=1))
    tick(DUE + timedelta(days=9))
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()


def test_a_month_without_issues_sends_nothing(
    scheduled: Newsletter, relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    tick(DUE)
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()


def test_only_what_was_approved_and_sent_is_in_it(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    """An editor's word for each article: so the round-up needs none of its own."""
    add_reader("weekly@readers.example", "en")
    add_reader("ala@readers.example", "en", frequency="monthly")
    Issue.objects.filter(pk=july[1].pk).update(state=Issue.State.DRAFT)  # held, and never sent
    send_july()
    Issue.objects.filter(pk=july[1].pk).update(state=Issue.State.APPROVED)
    Issue.objects.filter(pk=july[2].pk).update(state=Issue.State.DRAFT)  # taken back later
    Mailing.objects.filter(release__issue=july[3]).update(state=Mailing.State.CANCELLED)
    tick(DUE)
    text = relay.to("ala@readers.example")[0].parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Week of 3" in text
    assert not any(f"Week of {monday.day}:" in text for monday in MONDAYS[1:])


def test_an_issue_of_two_months_is_in_the_round_up_of_the_second(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    """24 July – 6 August goes out with its last week, when July's round-up does."""
    add_reader("ala@readers.example", "en", frequency="monthly")
    july[4].delete()
    Issue.objects.filter(pk=july[3].pk).update(kind=Issue.Kind.WEEKS, ends_on=date(2017, 8, 6))
    send_july()
    tick(DUE)
    assert subjects(relay, "ala") == ["July 2017: Week of 17"]
    tick(datetime(2017, 9, 11, 6, 0, tzinfo=UTC))
    assert subjects(relay, "ala")[1:] == ["August 2017: Week of 24"]


def test_a_break_in_the_next_month_holds_nothing_up(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    Issue.objects.filter(pk=july[4].pk).update(kind=Issue.Kind.BREAK)
    tick(DUE)
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


def test_e3_late_it_is_held_and_goes_out_by_an_editors_word(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    late = DUE + timedelta(days=9)
    tick(late)
    assert (round_up().state, round_up().hold) == (Mailing.State.HELD, Mailing.Hold.LATE)
    assert subjects(relay, "ala") == []
    with time_machine.travel(late, tick=False):
        snapshot.prepare(snapshot.send_round_up(july[0].newsletter, JULY, by=None).pk)
        send_all_due()
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


def test_nothing_in_a_readers_languages_is_skipped(
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


def test_who_changes_to_monthly_gets_the_week_and_later_the_month(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    """No release twice: the issue, and then the round-up that names it again."""
    reader = add_reader("ala@readers.example", "en")
    send_july()
    lifecycle.change(reader.pk, page_language="en", frequency="monthly")
    tick(DUE)
    expected = [f"Week of {monday.day}" for monday in MONDAYS]
    assert subjects(relay, "ala") == [*expected, "July 2017: Week of 24"]
    reached = ReleaseRecipient.objects.filter(subscriber_id=reader.subscriber_id).values_list(
        "release_id"
    )
    assert len(reached) == len(set(reached)) == 5
    lifecycle.change(reader.pk, page_language="en", frequency="weekly")
    tick(DUE + timedelta(hours=1))
    assert len(subjects(relay, "ala")) == 5


def test_a_change_between_freeze_and_sending_sends_what_was_frozen(
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
    dispatch_at_once(20, DUE)
    assert Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).count() == 1
    assert [len(subjects(relay, f"r{number}")) for number in range(5)] == [1] * 5


def test_hours_count_for_it_too(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader(
        "ala@readers.example", "en", frequency="monthly", hour=(datetime.now(UTC).hour + 5) % 24
    )
    send_july()
    tick(DUE)
    assert subjects(relay, "ala") == []
    assert round_up().state == Mailing.State.SENDING
    round_up().batches.update(due_at=DUE)
    send_all_due()
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


def test_freezing_the_site_holds_it_and_it_collapses_with_time(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader, settings: Any
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    with time_machine.travel(DUE, tick=False):
        dispatch.dispatch()
    kill_switch.engage()
    with pytest.raises(snapshot.CannotSendError, match="frozen"):
        snapshot.send_round_up(july[0].newsletter, JULY, by=None)
    kill_switch.release()
    assert (round_up().state, round_up().hold) == (Mailing.State.HELD, Mailing.Hold.FROZEN)
    snapshot.prepare(snapshot.send_round_up(july[0].newsletter, JULY, by=None).pk)
    send_all_due()
    assert len(subjects(relay, "ala")) == 1
    retention.collapse(datetime.now(UTC) + timedelta(days=settings.RETENTION_DAYS + 1))
    assert round_up().state == Mailing.State.CLOSED
    assert round_up().counts["sent"] == 1


def test_who_was_not_reached_can_be_sent_to(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    add_reader("weekly@readers.example", "en")
    send_july()
    with time_machine.travel(DUE, tick=False):
        dispatch.dispatch()
        dispatch.prepare_waiting()
        control.cancel(round_up())
        again = snapshot.prepare(snapshot.send_to_unreached(round_up().release, by=None).pk)
        send_all_due()
    assert again.readers == 1
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


# --- By command -------------------------------------------------------------------------------
def run(*arguments: str) -> str:
    said = StringIO()
    call_command("send_issue", *arguments, stdout=said)
    return said.getvalue()


def test_the_operator_sends_it_before_its_time(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    send_july()
    said = run("weekly", "2017-07", "--monthly", "--wait")
    assert "1 readers, 1 editions" in said
    assert "The account balances." in said
    run("weekly", "2017-07", "--monthly", "--wait")
    tick(DUE)
    assert subjects(relay, "ala") == ["July 2017: Week of 24"]


@pytest.mark.parametrize(
    ("month", "says"),
    [
        ("2017-07", "No reader has chosen the monthly round-up"),
        ("2016-07", "No issue of this month has been sent"),
        ("2017-07-24", "is no month"),
        ("July", "is no month"),
    ],
)
def test_what_cannot_be_sent_is_told(
    july: list[Issue], relay: MemoryTransport, add_reader: AddReader, month: str, says: str
) -> None:
    add_reader("weekly@readers.example", "en")
    send_july()
    with pytest.raises(CommandError, match=says):
        run("weekly", month, "--monthly")

"""Dispatching on schedule: downtime, clock changes, concurrent dispatchers (E1–E3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.delivery.models import Mailing, Release, ReleaseRecipient
from newsletter.delivery.planning import dispatch
from newsletter.delivery.tasks import run_tick
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.transport.memory import MemoryTransport
from tests.approving import approve, approve_all
from tests.delivery.conftest import AddReader, dispatch_concurrently, send_all_due

Write = Callable[..., Article]
LONG_AGO = datetime(2017, 1, 1, tzinfo=UTC)
DUE = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)
"""Monday, 31 July 2017, 09:00 in Minsk: sends 24–30 July."""


@pytest.fixture
def scheduled(weekly: Newsletter, issue: Issue, write_article: Write) -> Newsletter:
    """A newsletter sent each Monday at 09:00 in Minsk; its issue of 24–30 July is approved."""
    write_article(issue=issue, en="Army", published_at=DUE - timedelta(hours=1))
    approve(issue)
    Newsletter.objects.filter(pk=weekly.pk).update(
        schedule_active=True, schedule_since=DUE - timedelta(days=3)
    )
    weekly.refresh_from_db()
    return weekly


def mailing() -> Mailing:
    return Mailing.objects.get()


def test_an_issue_is_sent_on_schedule_once(
    scheduled: Newsletter, relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en")
    assert run_tick(DUE - timedelta(minutes=1))["dispatched"] == 0
    assert run_tick(DUE)["dispatched"] == 1
    send_all_due()
    assert run_tick(DUE + timedelta(minutes=1))["dispatched"] == 0
    assert len(relay.delivered) == 1
    assert Release.objects.get().period == "2017-07-24"


@pytest.mark.parametrize(
    ("monday", "at"),
    [
        (date(2026, 3, 30), datetime(2026, 3, 30, 7, 0, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 26, 8, 0, tzinfo=UTC)),
    ],
)
def test_e2_after_a_clock_change_it_is_sent_at_the_same_local_hour(
    scheduled: Newsletter, write_article: Write, monday: date, at: datetime
) -> None:
    """Warsaw: 09:00 is 07:00 UTC in summer, 08:00 in winter."""
    week = monday - timedelta(days=7)
    issue = Issue.objects.create(
        newsletter=scheduled,
        starts_on=week,
        ends_on=week + timedelta(days=6),
    )
    write_article(issue=issue, en="Clocks", published_at=LONG_AGO)
    approve(issue)
    Newsletter.objects.update(timezone="Europe/Warsaw", schedule_since=at - timedelta(hours=2))
    assert dispatch.dispatch(at - timedelta(minutes=1)) == []
    assert len(dispatch.dispatch(at)) == 1
    assert Release.objects.get().period == week.isoformat()


def test_e3_after_a_short_downtime_it_is_sent_and_after_a_long_one_held(
    scheduled: Newsletter,
) -> None:
    dispatch.dispatch(DUE + timedelta(hours=13))
    assert (mailing().state, mailing().hold) == (Mailing.State.HELD, Mailing.Hold.LATE)
    dispatch.dispatch(DUE + timedelta(hours=14))
    assert mailing().state == Mailing.State.HELD
    Mailing.objects.all().delete()
    assert len(dispatch.dispatch(DUE + timedelta(hours=11))) == 1


def test_an_unapproved_issue_is_held_until_it_is_approved(
    scheduled: Newsletter, issue: Issue
) -> None:
    Issue.objects.update(state=Issue.State.DRAFT)
    assert dispatch.dispatch(DUE) == []
    assert mailing().hold == Mailing.Hold.NOT_APPROVED
    approve_all()
    assert len(dispatch.dispatch(DUE + timedelta(minutes=5))) == 1
    assert mailing().hold == ""


def test_an_issue_approved_too_late_stays_held(scheduled: Newsletter) -> None:
    Issue.objects.update(state=Issue.State.DRAFT)
    dispatch.dispatch(DUE)
    approve_all()
    assert dispatch.dispatch(DUE + timedelta(hours=20)) == []
    assert mailing().hold == Mailing.Hold.LATE


def test_a_thin_or_missing_issue_is_held(scheduled: Newsletter, issue: Issue) -> None:
    Article.objects.update(issue=None)
    dispatch.dispatch(DUE)
    assert mailing().hold == Mailing.Hold.TOO_THIN
    Mailing.objects.all().delete()
    issue.delete()
    dispatch.dispatch(DUE)
    assert mailing().hold == Mailing.Hold.NO_ISSUE


def test_a_planned_break_creates_no_mailing(scheduled: Newsletter) -> None:
    Issue.objects.update(kind=Issue.Kind.BREAK)
    assert dispatch.dispatch(DUE) == []
    assert not Mailing.objects.exists()


def test_without_approval_ready_articles_become_an_issue(
    scheduled: Newsletter, issue: Issue, write_article: Write
) -> None:
    issue.delete()
    Newsletter.objects.update(approval=Newsletter.Approval.AUTOMATIC)
    Article.objects.update(published_at=DUE - timedelta(days=3))
    write_article(en="A draft", state="draft", published_at=DUE - timedelta(days=3))
    write_article(en="Long ago", published_at=LONG_AGO)
    assert len(dispatch.dispatch(DUE)) == 1
    created = Issue.objects.get()
    assert [str(article) for article in created.articles.all()] == ["Army"]


def test_without_approval_a_draft_is_sent_and_becomes_public(
    scheduled: Newsletter, issue: Issue
) -> None:
    Newsletter.objects.update(approval=Newsletter.Approval.AUTOMATIC)
    Issue.objects.update(state=Issue.State.DRAFT)
    assert len(dispatch.dispatch(DUE)) == 1
    issue.refresh_from_db()
    assert issue.state == Issue.State.APPROVED


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_e1_twenty_dispatchers_make_one_mailing_and_one_message_each(
    scheduled: Newsletter, relay: MemoryTransport, add_reader: AddReader
) -> None:
    for number in range(5):
        add_reader(f"r{number}@readers.example", "en")
    dispatch_concurrently(20, DUE)
    assert Mailing.objects.count() == 1
    assert ReleaseRecipient.objects.count() == 5
    assert sorted(message.address for message in relay.delivered) == [
        f"r{number}@readers.example" for number in range(5)
    ]
    dispatch.dispatch(DUE)
    assert mailing().state == Mailing.State.FINISHED


def test_a_new_schedule_does_not_send_before_its_time(scheduled: Newsletter) -> None:
    Newsletter.objects.update(schedule_since=DUE - timedelta(minutes=2))
    assert dispatch.dispatch(DUE - timedelta(minutes=1)) == []
    assert len(dispatch.dispatch(DUE)) == 1

"""Sending an issue: choose, check, send; at a set time, twice, and with a wrong clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.oversight.pace import pace
from newsletter.delivery.oversight.report import Report
from newsletter.delivery.planning import snapshot, start
from newsletter.desk.send_choice import read_choice
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.transport.outcomes import Result
from tests.approving import approve
from tests.delivery.conftest import AddReader, add_reader, relay  # noqa: F401 - fixtures
from tests.desk.forms import with_token

State = Mailing.State
TOMORROW = (timezone.now() + timedelta(days=1)).astimezone(ZoneInfo("Europe/Minsk"))


@pytest.fixture
def ready(issue: Issue, write_article: Callable[..., Article], relay: Any) -> Issue:  # noqa: F811
    write_article(issue=issue, en="Army", published_at=datetime(2017, 1, 1, tzinfo=UTC))
    return issue


def page(issue: Issue, **choice: str) -> str:
    return f"/admin/editorial/issue/{issue.pk}/send/?{urlencode(choice)}"


def at(moment: datetime = TOMORROW) -> dict[str, str]:
    return {"who": "", "when": "at", "date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M}"}


def send(client: Client, url: str) -> str:
    return client.post(url, with_token(client, url), follow=True).content.decode()


def test_checking_sends_nothing_and_says_to_how_many_it_goes(
    ready: Issue,
    as_publisher: Client,
    add_reader: AddReader,  # noqa: F811
) -> None:
    for number in range(3):
        add_reader(f"r{number}@readers.example", "en")
    snapshot.prepare(start.send_now(approve(ready), by=None, first_language="be").pk)
    summary = as_publisher.get(page(ready, who="", when="now")).content.decode()
    assert "Send to 3 readers now" in summary
    assert "Army" in summary  # the subject
    assert Mailing.objects.filter(audience="all").count() == 0


def test_those_who_have_it_are_not_counted(
    ready: Issue,
    as_publisher: Client,
    add_reader: AddReader,  # noqa: F811
) -> None:
    """Issue 13: the page said 12 when 4 had it already."""
    for number in range(4):
        add_reader(f"en{number}@readers.example", "en")
    for number in range(8):
        add_reader(f"be{number}@readers.example", "be", "en")
    snapshot.prepare(start.send_now(approve(ready), by=None, first_language="en").pk)
    assert (
        "Send to 8 readers now"
        in as_publisher.get(page(ready, who="", when="now")).content.decode()
    )
    choices = as_publisher.get(page(ready)).content.decode()
    assert "Readers who already have it: 4." in choices


def test_a_set_time_schedules_it_and_can_be_changed(ready: Issue, as_publisher: Client) -> None:
    shown = send(as_publisher, page(ready, **at()))
    mailing = Mailing.objects.get()
    assert mailing.state == State.SCHEDULED
    assert mailing.send_at is not None
    assert f"{mailing.send_at.astimezone(TOMORROW.tzinfo):%H:%M}" == f"{TOMORROW:%H:%M}"
    assert "It starts" in shown
    send(as_publisher, page(ready, **at(TOMORROW + timedelta(days=2))))
    assert Mailing.objects.get().send_at == mailing.send_at + timedelta(days=2)
    assert (
        "scheduled"
        in as_publisher.get(f"/admin/editorial/issue/{ready.pk}/change/").content.decode()
    )


def test_going_back_keeps_what_was_chosen(ready: Issue, as_publisher: Client) -> None:
    summary = as_publisher.get(page(ready, **at())).content.decode()
    assert "change=1" in summary
    choices = as_publisher.get(page(ready, **at(), change="1"))
    assert choices.context["date"] == f"{TOMORROW:%Y-%m-%d}"
    assert choices.context["when"] == "at"


def test_scheduled_twice_it_is_the_same_mailing(ready: Issue, as_publisher: Client) -> None:
    url = page(ready, **at())
    token = with_token(as_publisher, url)
    as_publisher.post(url, token)
    again = as_publisher.post(url, token, follow=True).content.decode()
    assert "This is the same mailing." in again
    assert Mailing.objects.count() == 1


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (at(datetime(2020, 1, 1, 9)), "This time has passed."),
        (at(datetime(9999, 12, 31, 23)), "Choose a time within a year."),
        ({"who": "", "when": "at", "date": "tomorrow", "time": "9"}, "Enter the date and the time"),
        ({"who": "", "when": "at"}, "Enter the date and the time"),
        ({"who": "", "when": "schedule"}, "The schedule doesn’t send this issue."),
        ({"who": "unreached", "when": "at"}, "can only be sent to now"),
        ({"who": "", "when": "never"}, "Choose when it is sent."),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_the_reason(
    ready: Issue, as_publisher: Client, choice: dict[str, str], message: str
) -> None:
    url = page(ready, **choice)
    assert message in as_publisher.get(url).content.decode()
    as_publisher.post(url, with_token(as_publisher, page(ready, who="", when="now")))
    assert not Mailing.objects.exists()


def test_the_token_of_another_choice_or_count_sends_nothing(
    ready: Issue,
    as_publisher: Client,
    add_reader: AddReader,  # noqa: F811
) -> None:
    now = page(ready, who="", when="now")
    token = with_token(as_publisher, now)
    as_publisher.post(page(ready, who="be", when="now"), token)
    add_reader("new@readers.example", "en")
    answer = as_publisher.post(now, token, follow=True).content.decode()
    assert "Nothing was sent" in answer
    assert not Mailing.objects.exists()


def test_a_local_time_that_a_clock_change_skips_moves_an_hour_later(ready: Issue) -> None:
    """In Warsaw, 02:30 on 28 March 2027 doesn’t exist."""
    Newsletter.objects.update(timezone="Europe/Warsaw")
    now = datetime(2027, 3, 1, tzinfo=UTC)
    data = {"who": "", "when": "at", "date": "2027-03-28", "time": "02:30"}
    choice = read_choice(data, Issue.objects.get(), now=now)
    assert choice.at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)  # 03:30 in Warsaw


def test_cancelling_says_who_has_it_who_may_get_it_and_who_wont(
    ready: Issue,
    as_publisher: Client,
    add_reader: AddReader,  # noqa: F811
) -> None:
    for number in range(10):
        add_reader(f"r{number}@readers.example", "en")
    mailing = start.send_now(approve(ready), by=None)
    cancel = f"/admin/delivery/mailing/{mailing.pk}/cancel/"
    assert "Nothing has been sent" in as_publisher.get(cancel).content.decode()
    snapshot.prepare(mailing.pk)
    # A worker has sent to three and may send to six.
    sent = bytes([Result.SENT] * 3)
    Batch.objects.update(state=Batch.State.CLAIMED, intent=6, results=sent)
    text = as_publisher.get(cancel).content.decode()
    assert "Sent already: 3." in text
    assert "up to 3." in text
    assert "at least 4." in text


def test_the_pace_counts_only_those_who_are_due(ready: Issue) -> None:
    minute_ago = timezone.now() - timedelta(seconds=60)
    mailing = Mailing(state=State.SENDING, snapshot_at=minute_ago)
    counts = Report(readers=100, sent=40, waiting=60)
    found = pace(mailing, counts, not_due=20)
    assert found is not None
    assert 38 <= found.per_minute <= 40
    assert found.minutes_left in {1, 2}
    assert pace(mailing, counts, not_due=60) is None
    assert pace(Mailing(state=State.PAUSED, snapshot_at=minute_ago), counts, not_due=0) is None


def test_an_issue_is_held_and_released(ready: Issue, as_publisher: Client) -> None:
    hold, release = (f"/admin/editorial/issue/{ready.pk}/{name}/" for name in ("hold", "release"))
    assert as_publisher.get(hold).status_code == 200
    assert not Mailing.objects.exists()
    as_publisher.post(hold)
    assert (Mailing.objects.get().state, Mailing.objects.get().hold) == ("held", "by-hand")
    shown = as_publisher.get(f"/admin/editorial/issue/{ready.pk}/change/").content.decode()
    assert "Release this issue" in shown
    answer = as_publisher.post(release, follow=True).content.decode()
    assert "Its time has passed" in answer
    assert "not held" in as_publisher.post(release, follow=True).content.decode()

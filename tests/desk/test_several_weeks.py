"""An issue of several weeks: the same trend everywhere, and one mailing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.planning import dispatch
from newsletter.delivery.planning.editions import preview
from newsletter.delivery.planning.start import send_now
from newsletter.digest.content import EditionOptions
from newsletter.editorial.models import Issue, Newsletter, Topic, Trend
from newsletter.transport.memory import MemoryTransport
from tests.approving import approve
from tests.conftest import WriteArticle
from tests.delivery.conftest import relay
from tests.desk.forms import form_data

__all__ = ["relay"]
pytestmark = pytest.mark.django_db

FIRST, LAST = date(2017, 7, 17), date(2017, 7, 24)
AFTER_FIRST = datetime(2017, 7, 24, 6, 0, tzinfo=UTC)
"""Monday, 24 July, 09:00 in Minsk: the week of 17–23 July is over."""
AFTER_LAST = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)


@pytest.fixture
def fortnight(weekly: Newsletter, security: Topic, write_article: WriteArticle) -> Issue:
    """17–30 July 2017, approved, with a public article about security."""
    issue = Issue.objects.create(
        newsletter=weekly,
        kind=Issue.Kind.WEEKS,
        starts_on=FIRST,
        ends_on=date(2017, 7, 30),
    )
    published = datetime(2017, 7, 20, tzinfo=UTC)
    write_article(issue=issue, topic=security, published_at=published, en="Army news")
    return approve(issue)


@pytest.fixture
def scheduled(fortnight: Issue) -> Newsletter:
    """Each Monday at 09:00 in Minsk."""
    since = datetime(2017, 7, 1, tzinfo=UTC)
    Newsletter.objects.update(schedule_active=True, schedule_since=since)
    return Newsletter.objects.get()


def change_url(issue: Issue) -> str:
    return reverse("admin:editorial_issue_change", args=[issue.pk])


def shown_trends(client: Client, issue: Issue, topic: Topic) -> list[str]:
    """Return the trend shown with the article, in the issue's table, by email and at the desk."""
    page = client.get("/en/issues/weekly/2017-07-17/")
    email = preview(
        issue, EditionOptions(chain=("en",), page_language="en", length="lead", pictures="none")
    )
    assert email is not None
    in_email = [s.value for s in Trend.Status if str(s.label) in email.text.lower()]
    return [
        page.context["articles"][0].status,
        *(week.status for week in page.context["trends"]),
        *in_email,
        form_data(client, change_url(issue))[f"trend_{topic.pk}"],
    ]


@pytest.mark.parametrize("week", [FIRST, LAST])
def test_a_trend_of_either_week_is_shown_everywhere(
    fortnight: Issue, security: Topic, as_editor: Client, week: date
) -> None:
    Trend.objects.create(topic=security, week=week, status="worsened")
    assert shown_trends(as_editor, fortnight, security) == ["worsened"] * 4


def test_the_trend_of_the_last_week_counts(
    fortnight: Issue, security: Topic, as_editor: Client
) -> None:
    Trend.objects.create(topic=security, week=LAST, status="improved")
    Trend.objects.create(topic=security, week=FIRST, status="worsened")
    assert shown_trends(as_editor, fortnight, security) == ["improved"] * 4


def test_a_special_issue_shows_no_trend_anywhere(
    fortnight: Issue, security: Topic, client: Client
) -> None:
    Trend.objects.create(topic=security, week=LAST, status="worsened")
    Issue.objects.update(kind=Issue.Kind.SPECIAL, slug="elections")
    page = client.get("/en/issues/weekly/elections/")
    assert page.context["articles"][0].status == ""
    assert page.context["trends"] == []


def test_the_desk_saves_the_trend_of_the_last_week(
    fortnight: Issue, security: Topic, as_editor: Client
) -> None:
    def save(status: str) -> list[tuple[date, str]]:
        data = form_data(as_editor, change_url(fortnight)) | {f"trend_{security.pk}": status}
        assert as_editor.post(change_url(fortnight), data).status_code == 302
        return list(Trend.objects.order_by("week").values_list("week", "status"))

    Trend.objects.create(topic=security, week=FIRST, status="worsened")
    assert save("worsened") == [(FIRST, "worsened")]
    assert save("improved") == [(FIRST, "worsened"), (LAST, "improved")]
    assert save("") == []


def test_e1_it_is_sent_once_after_its_last_week(
    scheduled: Newsletter, relay: MemoryTransport
) -> None:
    assert dispatch.dispatch(AFTER_FIRST) == []
    assert not Mailing.objects.exists()
    assert len(dispatch.dispatch(AFTER_LAST)) == 1
    assert Release.objects.get(kind=Release.Kind.WEEKLY).period == "2017-07-17"
    assert Mailing.objects.get().state == Mailing.State.PREPARING


def test_e1_an_issue_sent_by_an_editor_is_not_sent_again(
    scheduled: Newsletter, fortnight: Issue, relay: MemoryTransport
) -> None:
    sent = send_now(fortnight, by=None)
    Mailing.objects.filter(pk=sent.pk).update(state=Mailing.State.FINISHED)
    assert dispatch.dispatch(AFTER_FIRST) == dispatch.dispatch(AFTER_LAST) == []
    assert Mailing.objects.get() == sent


@pytest.mark.parametrize("approval", ["editor", "automatic"])
def test_nothing_is_sent_in_any_week_of_a_break(
    scheduled: Newsletter, write_article: WriteArticle, relay: MemoryTransport, approval: str
) -> None:
    Issue.objects.update(kind=Issue.Kind.BREAK)
    Newsletter.objects.update(approval=approval)
    write_article(en="Written in the break", published_at=datetime(2017, 7, 26, tzinfo=UTC))
    for at in (AFTER_FIRST, AFTER_LAST):
        assert dispatch.dispatch(at) == []
    assert not Mailing.objects.exists()
    assert Issue.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "next_at"), [("weeks", "Monday 31 July, 09:00"), ("break", "Monday 7 August, 09:00")]
)
def test_the_dashboard_says_when_it_is_sent(
    scheduled: Newsletter, as_editor: Client, kind: str, next_at: str
) -> None:
    Issue.objects.update(kind=kind)
    with time_machine.travel(datetime(2017, 7, 20, tzinfo=UTC), tick=False):
        page: Any = as_editor.get("/admin/")
    [summary] = page.context["summaries"]
    assert summary.week == (FIRST, date(2017, 7, 30))
    assert next_at in page.content.decode()

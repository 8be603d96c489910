"""An issue from its first save to its mailing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning import dispatch
from newsletter.editorial.models import Issue, Newsletter, Topic, Trend
from subscribers import lifecycle
from tests.conftest import WriteArticle
from tests.desk.forms import form_data, with_token
from tests.desk.test_permissions import issue_urls, ready

__all__ = ["ready"]
pytestmark = pytest.mark.django_db
ADD = "/admin/editorial/issue/add/"


def change_url(issue: Issue) -> str:
    return reverse("admin:editorial_issue_change", args=[issue.pk])


def new_issue(client: Client, first: str, last: str, **values: str) -> dict[str, Any]:
    return form_data(client, ADD) | {"starts_on": first, "ends_on": last} | values


def test_a_new_issue_leads_to_its_page_where_its_texts_are_saved(
    weekly: Newsletter, as_publisher: Client
) -> None:
    answer = as_publisher.post(ADD, new_issue(as_publisher, "2017-07-24", "2017-07-30"))
    issue = Issue.objects.get()
    assert answer["Location"] == change_url(issue)
    data = form_data(as_publisher, change_url(issue))
    data |= {"subject_be": "Тэма", "introduction_be": "<h1>Вітаем</h1><script>x</script>"}
    assert as_publisher.post(change_url(issue), data).status_code == 302
    text = issue.translations.get()
    assert (text.language, text.subject, text.introduction) == ("be", "Тэма", "<h2>Вітаем</h2>")


def send(client: Client, issue: Issue) -> Any:
    url = issue_urls(issue)["send"] + "?who=&when=now"
    return client.post(url, with_token(client, url))


@pytest.mark.parametrize(
    ("first", "last", "values", "message"),
    [
        ("2017-07-24", "2017-07-30", {}, "overlap with the issue of July 24 – July 30, 2017"),
        (
            "2017-07-17",
            "2017-07-30",
            {"kind": "weeks"},
            "overlap with the issue of July 24 – July 30, 2017",
        ),
        ("2017-08-01", "2017-08-06", {}, "from Monday to Sunday"),
        (
            "2017-08-13",
            "2017-08-07",
            {"kind": "special", "slug": "x"},
            "must not be before the first day",
        ),
        ("2017-08-07", "2017-08-09", {"kind": "special"}, "needs a slug"),
    ],
)
def test_invalid_dates_are_explained_and_no_input_is_lost(
    issue: Issue, as_publisher: Client, first: str, last: str, values: dict[str, str], message: str
) -> None:
    data = new_issue(as_publisher, first, last, **values) | {"note": "My words"}
    page = as_publisher.post(ADD, data).content.decode()
    assert message in page
    assert "My words</textarea>" in page
    assert Issue.objects.count() == 1


def test_trends_are_set_on_the_issue_page(
    issue: Issue, security: Topic, as_publisher: Client
) -> None:
    url = change_url(issue)
    data = form_data(as_publisher, url) | {f"trend_{security.pk}": "worsened"}
    assert as_publisher.post(url, data).status_code == 302
    trend = Trend.objects.get()
    assert (trend.topic, trend.week, trend.status) == (security, date(2017, 7, 24), "worsened")
    data = form_data(as_publisher, url) | {f"trend_{security.pk}": ""}
    as_publisher.post(url, data)
    assert not Trend.objects.exists()


def test_the_page_lists_the_articles_with_links_and_states(
    issue: Issue, write_article: WriteArticle, as_publisher: Client
) -> None:
    article = write_article(issue=issue, en="Headline")
    article.translations.create(language="be", headline="Загаловак")
    page = as_publisher.get(change_url(issue)).content.decode()
    assert re.search(rf'href="/admin/editorial/article/{article.pk}/change/">Headline</a>', page)
    states = re.findall(r'title="(\S+: [^"]+)">\s*<span aria-hidden="true">(\w\w)<', page)
    assert states == [
        ("English: ready", "EN"),
        ("Belarusian: draft", "BE"),
        ("Russian: missing", "RU"),
    ]


def test_an_issue_is_approved_and_the_approval_withdrawn(
    ready: Issue, as_publisher: Client
) -> None:
    as_publisher.post(issue_urls(ready)["approve"], with_token(as_publisher, change_url(ready)))
    ready.refresh_from_db()
    assert ready.state == "approved"
    assert ready.approved_by
    assert ready.approved_by.username == "adam"
    as_publisher.post(issue_urls(ready)["withdraw"])
    ready.refresh_from_db()
    assert ready.state == "draft"


@time_machine.travel("2017-07-30T10:00:00Z", tick=False)
def test_an_issue_is_approved_the_day_before_its_articles_are_published(
    issue: Issue, write_article: WriteArticle, as_publisher: Client
) -> None:
    """The articles are published on Monday at 09:00 in Minsk, when the schedule sends the issue."""
    due = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)
    write_article(issue=issue, en="Headline", published_at=due)
    Newsletter.objects.update(schedule_active=True, schedule_since=due - timedelta(days=9))
    page = as_publisher.get(issue_urls(issue)["send"] + "?who=&when=now").content.decode()
    assert "It can’t be sent yet." in page
    page = as_publisher.get(issue_urls(issue)["send"]).content.decode()
    assert "On schedule" in page
    as_publisher.post(issue_urls(issue)["approve"], with_token(as_publisher, change_url(issue)))
    issue.refresh_from_db()
    assert issue.state == "approved"
    [mailing] = dispatch.dispatch(due)
    assert mailing.release.issue == issue


def test_an_issue_without_articles_can_be_neither_approved_nor_sent(
    issue: Issue, as_publisher: Client
) -> None:
    answer = as_publisher.post(issue_urls(issue)["approve"], follow=True)
    assert "The issue has no articles." in answer.content.decode()
    page = as_publisher.post(issue_urls(issue)["send"]).content.decode()
    assert "It can’t be sent yet." in page
    issue.refresh_from_db()
    assert issue.state == "draft"
    assert not Mailing.objects.exists()


def test_the_send_page_asks_first_and_counts_the_readers(
    ready: Issue, as_publisher: Client
) -> None:
    for number, languages in enumerate([["en"], ["be", "ru"], ["be", "ru"]]):
        lifecycle.add_confirmed(
            f"reader{number}@news.example.org",
            newsletter=ready.newsletter,
            languages=languages,
            page_language="en",
            source="operator",
        )
    page = as_publisher.get(issue_urls(ready)["send"]).content.decode()
    assert "3 readers" in page
    assert re.search(r"<td>беларуская, русский</td>\s*<td>2</td>", page)
    assert "has not been approved yet" in page
    assert not Mailing.objects.exists()


def test_sending_shows_the_progress_and_sending_twice_sends_once(
    ready: Issue, as_publisher: Client
) -> None:
    answer = send(as_publisher, ready)
    mailing = Mailing.objects.get()
    assert answer["Location"] == f"/admin/delivery/mailing/{mailing.pk}/change/"
    assert mailing.started_by
    again = as_publisher.post(issue_urls(ready)["send"] + "?who=&when=now", follow=True)
    assert "adam has already done so" in again.content.decode()
    assert Mailing.objects.count() == 1
    assert "already has a mailing" in as_publisher.get(issue_urls(ready)["send"]).content.decode()
    page = as_publisher.get(answer["Location"]).content.decode()
    assert "data-running" in page
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh" content="5">\s*</noscript>', page)


def test_a_held_mailing_says_why_and_what_to_do(ready: Issue, as_publisher: Client) -> None:
    send(as_publisher, ready)
    Mailing.objects.update(state="held", hold=Mailing.Hold.LATE)
    mailing = Mailing.objects.get()
    page = as_publisher.get(f"/admin/delivery/mailing/{mailing.pk}/change/").content.decode()
    assert "Its time passed while Tydzen was not running" in page
    assert issue_urls(ready)["send"] in page
    send(as_publisher, ready)
    mailing.refresh_from_db()
    assert mailing.state == "preparing"


@time_machine.travel("2017-08-01T10:00:00Z", tick=False)
def test_the_dashboard_says_what_is_missing(issue: Issue, as_publisher: Client) -> None:
    Newsletter.objects.update(schedule_active=True, weekday=2)
    page = as_publisher.get("/admin/").content.decode()
    assert "The issue has no articles." in page
    assert "Wednesday 2 August, 09:00 (Europe/Minsk)" in page
    assert "No subscribers yet" in page
    assert "Nothing has been sent yet" in page


def test_the_dashboard_of_an_empty_newsroom_says_where_to_start(as_publisher: Client) -> None:
    assert "Get started" in as_publisher.get("/admin/").content.decode()


@time_machine.travel("2017-08-01T10:00:00Z", tick=False)
def test_the_dashboard_offers_to_start_this_weeks_issue(
    weekly: Newsletter, as_publisher: Client
) -> None:
    page = as_publisher.get("/admin/").content.decode()
    assert "?newsletter=1&amp;starts_on=2017-07-31&amp;ends_on=2017-08-06" in page.replace(
        f"newsletter={weekly.pk}", "newsletter=1"
    )

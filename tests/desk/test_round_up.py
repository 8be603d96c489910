"""The desk's page of a monthly round-up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Mailing, Release
from newsletter.editorial.models import Issue, Newsletter, User
from tests.conftest import WriteArticle
from tests.delivery.conftest import AddReader, add_reader, prepare_mailing, relay  # noqa: F401

PAGE = "/admin/delivery/mailing/month/weekly/2017-07/"


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture
def sent(relay: object, issue: Issue, write_article: WriteArticle) -> Mailing:  # noqa: F811
    """The issue of 24–30 July, sent."""
    write_article(issue=issue, en="Minsk looks east", be="Мінск глядзіць на ўсход")
    return prepare_mailing(issue)


def text_of(desk: Client, url: str = PAGE, **query: str) -> str:
    answer = desk.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_the_email_in_each_chain_and_the_number_of_readers(
    desk: Client,
    sent: Mailing,
    add_reader: AddReader,  # noqa: F811
) -> None:
    add_reader("ala@readers.example", "be", "ru", frequency="monthly")
    page = text_of(desk)
    assert "Round-up: July 2017" in page
    assert "1 reader has chosen the monthly round-up." in page
    assert "July 2017: Minsk looks east" in page
    assert "Ліпень 2017: Мінск глядзіць на ўсход" in text_of(desk, chain="be,ru")
    frame = desk.get(f"{PAGE}frame/", {"chain": "be,ru"})
    assert "Мінск глядзіць на ўсход" in frame.content.decode()
    assert "frame-ancestors 'self'" in frame["Content-Security-Policy"]


def test_it_is_sent_once(
    desk: Client,
    sent: Mailing,
    add_reader: AddReader,  # noqa: F811
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    assert "Send now" in text_of(desk)
    first, second = desk.post(PAGE), desk.post(PAGE)
    assert first["Location"] == second["Location"]
    mailing = Mailing.objects.get(release__kind=Release.Kind.MONTHLY)
    assert mailing.started_by is not None
    page = text_of(desk, first["Location"])
    assert PAGE in page
    assert "Open issue" not in page
    assert "View mailing" in text_of(desk)
    assert "Send now" not in text_of(desk)


def test_without_readers_or_issues_it_says_so(desk: Client, sent: Mailing) -> None:
    assert "0 readers have chosen the monthly round-up." in text_of(desk)
    message = desk.post(PAGE, follow=True).content.decode()
    assert "No reader has chosen the monthly round-up." in message
    empty = PAGE.replace("2017-07", "2016-07")
    assert "No issue of this month has been sent." in text_of(desk, empty)
    assert desk.get(f"{empty}frame/").status_code == 404
    assert not Mailing.objects.filter(release__kind=Release.Kind.MONTHLY).exists()


@pytest.mark.parametrize("path", ["weekly/2017-13/", "weekly/July/", "none/2017-07/"])
def test_an_unknown_newsletter_or_malformed_month_is_not_found(
    desk: Client, weekly: Newsletter, path: str
) -> None:
    assert desk.get(f"/admin/delivery/mailing/month/{path}").status_code == 404


def test_a_held_round_up_is_sent_from_its_mailing_page(
    desk: Client,
    sent: Mailing,
    add_reader: AddReader,  # noqa: F811
) -> None:
    add_reader("ala@readers.example", "en", frequency="monthly")
    release = Release.objects.create(
        newsletter=sent.release.newsletter, kind=Release.Kind.MONTHLY, period="2017-07"
    )
    held = Mailing.objects.create(release=release, state="held", hold=Mailing.Hold.LATE)
    send = reverse("admin:delivery_mailing_act", args=[held.pk, "send"])
    assert send in text_of(desk, reverse("admin:delivery_mailing_change", args=[held.pk]))
    desk.post(send)
    held.refresh_from_db()
    assert held.state == Mailing.State.PREPARING
    # A held issue is sent from the issue's own page.
    Mailing.objects.filter(pk=sent.pk).update(state="held", hold=Mailing.Hold.LATE)
    send = reverse("admin:delivery_mailing_act", args=[sent.pk, "send"])
    assert send not in text_of(desk, reverse("admin:delivery_mailing_change", args=[sent.pk]))
    desk.post(send)
    sent.refresh_from_db()
    assert sent.state == "held"


def test_viewing_does_not_need_the_permission_to_send(client: Client, sent: Mailing) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_mailing"))
    assert client.get(PAGE).status_code == 200
    assert client.post(PAGE).status_code == 403


def test_the_dashboard_links_to_the_next_round_up(
    desk: Client,
    weekly: Newsletter,
    add_reader: AddReader,  # noqa: F811
) -> None:
    dashboard = reverse("admin:index")
    assert "Monthly round-up" not in text_of(desk, dashboard)
    add_reader("ala@readers.example", "en", frequency="monthly")
    Newsletter.objects.update(schedule_active=True)
    with time_machine.travel(datetime(2017, 8, 1, 12, tzinfo=UTC), tick=False):
        desk.force_login(User.objects.get(username="editor"))
        page = " ".join(text_of(desk, dashboard).split())
    assert f'<a href="{PAGE}">July 2017</a>, Monday 7 August, 09:00: 1 reader' in page

"""Emails as delivered, over SMTP and through two providers (A1–A5, A8–A12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.delivery.models import Mailing
from newsletter.delivery.transactional import outbox
from newsletter.editorial.models import Article, Issue, IssueTranslation, Newsletter
from subscribers import lifecycle
from subscribers.addresses import normalise
from subscribers.models import Subscription
from tests.delivery.conftest import prepare_mailing, reset_transports, send_all_due
from tests.digest.html import EmailHtml as Html
from tests.e2e.transports import Delivered, Transport, open_transport

pytestmark = [
    pytest.mark.server,
    pytest.mark.django_db,
    # The warning is for the operator; the backend still works and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]
SENDER = "desk@xn--90airjy5dfe.example"
ENGLISH = "ala@readers.example"
BELARUSIAN = "Reader.Be@xn--80a1acn3a.example"
"""Its domain in the form that email programs show: Пошта.example (trap 2)."""


@pytest.fixture(params=["smtp", "mailgun", "sendgrid"])
def transport(request: pytest.FixtureRequest, settings: Any) -> Iterator[Transport]:
    """The only transport."""
    with open_transport(request.param) as opened:
        settings.DELIVERY_TRANSPORTS = [opened.url]
        reset_transports()
        yield opened
        reset_transports()


@pytest.fixture
def readers(weekly: Newsletter) -> list[Subscription]:
    Newsletter.objects.update(sender_address="desk@Бюлетэнь.example", reply_to="")
    return [
        lifecycle.add_confirmed(
            address,
            newsletter=weekly,
            languages=languages,
            page_language=languages[0],
            source=Subscription.Source.OPERATOR,
        )
        for address, languages in (
            (ENGLISH, ("en",)),
            ("Reader.Be@Пошта.example", ("be", "ru")),
            ("second.be@readers.example", ("be", "ru")),
        )
    ]


@pytest.fixture
def emails(
    transport: Transport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Article],
) -> dict[str, Delivered]:
    """The email that each reader gets of an issue, by address."""
    write_article(issue=issue, en="Harvest & weather", be="Ураджай, надвор’е", ru="Урожай")
    write_article(issue=issue, en="Only in English")
    write_article(issue=issue, ru="Только по-русски: " + "очень длинный заголовок " * 6)
    prepare_mailing(issue)
    send_all_due()
    delivered = transport.delivered()
    assert len(delivered) == len(readers)
    return {email.to: email for email in delivered}


def test_each_reader_gets_their_own_email(emails: dict[str, Delivered]) -> None:
    """A Unicode domain loses neither headers nor data, and nobody sees another's address."""
    assert set(emails) == {ENGLISH, BELARUSIAN, "second.be@readers.example"}
    links = {email.header("List-Unsubscribe") for email in emails.values()}
    assert len(links) == 3
    for address, email in emails.items():
        whole = (
            email.text + email.html + str(email.headers).replace(str(email.headers.get("to")), "")
        )
        assert not [other for other in emails if other in whole and other != address]


def test_a1_the_basic_headers_are_there_once(emails: dict[str, Delivered]) -> None:
    for address, email in emails.items():
        assert email.to == address
        assert email.sender[1] == SENDER
        assert email.subject
        if not email.raw:
            continue  # the provider writes Date and Message-ID
        for name in ("From", "Date", "Message-ID", "To", "Subject"):
            assert len(email.headers[name.lower()]) == 1
        assert email.header("Message-ID").endswith(f"@{SENDER.partition('@')[2]}>")
        age = timezone.now() - parsedate_to_datetime(email.header("Date"))
        assert timedelta(0) <= age < timedelta(minutes=1)
    assert emails[BELARUSIAN].sender[0] == "Тыдзень у фокусе"
    assert emails[BELARUSIAN].subject == "Ураджай, надвор’е"


def test_a2_lines_are_short_ascii_and_end_with_crlf(emails: dict[str, Delivered]) -> None:
    for email in emails.values():
        for name, values in email.headers.items():
            assert not re.search(r"[\r\n]", "".join(values)), name
        if email.raw:
            assert email.raw.isascii()
            assert max(map(len, email.raw.split(b"\r\n"))) <= 998
            assert email.raw.count(b"\n") == email.raw.count(b"\r\n")


def test_a2_a_subject_with_a_line_break_is_refused(
    transport: Transport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Article],
) -> None:
    write_article(issue=issue, en="Harvest", be="Ураджай")
    for language in ("en", "be"):
        IssueTranslation.objects.create(
            issue=issue, language=language, subject="News\r\nBcc: everybody@readers.example"
        )
    mailing = prepare_mailing(issue)
    send_all_due()
    assert (mailing.state, mailing.hold) == (Mailing.State.HELD, Mailing.Hold.UNRENDERABLE)
    assert not transport.delivered()


def test_a3_the_text_comes_before_the_html(emails: dict[str, Delivered]) -> None:
    for email in emails.values():
        assert email.text
        assert email.html
        if not email.raw:
            continue
        message: Any = message_from_bytes(email.raw, policy=policy.default)
        assert message.get_content_type() == "multipart/alternative"
        parts = list(message.iter_parts())
        assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
        for part in parts:
            assert part.get_content_charset() == "utf-8"
            assert part["Content-Transfer-Encoding"] in {"quoted-printable", "base64"}


def test_a4_the_one_click_headers_are_unencoded(emails: dict[str, Delivered]) -> None:
    for email in emails.values():
        url = re.fullmatch(r"<(https?://[!-~]+)>", email.header("List-Unsubscribe"))
        assert url
        assert email.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
        lists = [line for line in email.raw.split(b"\r\n") if line.lower().startswith(b"list-")]
        assert not [line for line in lists if b"=?" in line]
        assert not [value for value in email.headers["list-id"] if "=?" in value]


@pytest.mark.parametrize("encoding", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_a5_the_one_click_post_works(
    emails: dict[str, Delivered], readers: list[Subscription], encoding: str
) -> None:
    def state() -> str:
        return str(Subscription.objects.get(pk=readers[1].pk).state)

    path = urlsplit(emails[BELARUSIAN].header("List-Unsubscribe").strip("<>")).path
    client = Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
    assert state() == "active"
    for _ in range(2):
        if encoding == "multipart/form-data":
            response = client.post(path, {"List-Unsubscribe": "One-Click"})
        else:
            response = client.post(path, "List-Unsubscribe=One-Click", content_type=encoding)
        assert response.status_code in {200, 202}
        assert not response.cookies
        assert state() == "unsubscribed"
    forged = path[:-2] + ("A" if path[-2] != "A" else "B") + "/"
    assert client.post(forged, {"List-Unsubscribe": "One-Click"}).status_code == 404


def test_a8_the_list_id_is_stable(emails: dict[str, Delivered]) -> None:
    domain = SENDER.partition("@")[2]
    assert emails[ENGLISH].header("List-Id").endswith(f"<weekly.en.{domain}>")
    assert emails[BELARUSIAN].header("List-Id").endswith(f"<weekly.be.{domain}>")


def test_a9_the_feedback_id_identifies_no_reader(emails: dict[str, Delivered]) -> None:
    values = [email.header("Feedback-ID").split(":") for email in emails.values()]
    for value in values:
        assert len(value) == 4
        assert 5 <= len(value[3]) <= 15
    first, second = (emails[to].header("Feedback-ID") for to in emails if to != ENGLISH)
    assert first == second


def test_a10_each_part_names_its_language(emails: dict[str, Delivered]) -> None:
    for address, language in ((ENGLISH, "en"), (BELARUSIAN, "be")):
        assert emails[address].header("Content-Language") == language
        (html,) = Html(emails[address].html).all("html")
        assert (html.attributes["lang"], html.attributes["dir"]) == (language, "ltr")
    headlines = Html(emails[BELARUSIAN].html).all("h2")
    assert [h.attributes["lang"] for h in headlines] == ["be", "ru"]
    (link,) = [a for a in Html(emails[BELARUSIAN].html).all("a") if a.text == "Only in English"]
    assert link.attributes["lang"] == "en"


def test_a10_a_confirmation_is_marked_as_auto_generated(
    transport: Transport, weekly: Newsletter
) -> None:
    lifecycle.sign_up(
        normalise(ENGLISH),
        lifecycle.SignupRequest(
            newsletter_id=weekly.pk,
            languages=("be", "ru"),
            page_language="be",
            wording="",
            asked_at=timezone.now(),
        ),
    )
    assert outbox.drain() == 1
    (email,) = transport.delivered()
    assert email.header("Auto-Submitted") == "auto-generated"
    assert email.header("Content-Language") == "be"
    assert "list-unsubscribe" not in email.headers
    assert re.search(r"https?://\S+/be/confirm/\S+/", email.text)
    assert "placeholders.invalid" not in email.text + email.html


def test_a11_the_html_is_small_and_starts_with_the_unsubscribe_link(
    emails: dict[str, Delivered],
) -> None:
    for email in emails.values():
        assert len(email.html.encode()) < 102_000
        url = email.header("List-Unsubscribe").strip("<>")
        assert url in Html(email.html).links()[:2]


def test_a12_the_text_has_the_same_links_and_headings(emails: dict[str, Delivered]) -> None:
    for email in emails.values():
        for link in Html(email.html).links():
            assert link in email.text
        flat = " ".join(email.text.split())
        for heading in Html(email.html).all("h1", "h2", "h3"):
            assert heading.text in flat
        assert not re.search(r"<[a-z/]|&[a-z]+;|{[{%]", email.text)
        for form in (email.text, email.html):
            assert not re.search(r"places\.invalid|%recipient|-tydzen_|{{|slot-", form)

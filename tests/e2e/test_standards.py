"""A mail as it is delivered, from a frozen issue to the relay's or the provider's door: A1–A5 and
A8–A12, over SMTP and through two providers."""

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
from tests.delivery.conftest import forget, freeze, send_all_due
from tests.digest.html import EmailHtml as Html
from tests.e2e.transports import Delivered, Way, way

pytestmark = [
    pytest.mark.server,
    pytest.mark.django_db,
    # True, and for the operator to read; the backend is there and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]
SENDER = "desk@xn--90airjy5dfe.example"
ENGLISH = "ala@readers.example"
BELARUSIAN = "Reader.Be@xn--80a1acn3a.example"
"""Its domain in the form that mail programs show: Пошта.example (trap 2)."""


@pytest.fixture(params=["smtp", "mailgun", "sendgrid"])
def out(request: pytest.FixtureRequest, settings: Any) -> Iterator[Way]:
    """The only transport."""
    with way(request.param) as opened:
        settings.DELIVERY_TRANSPORTS = [opened.url]
        forget()
        yield opened
        forget()


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
def mails(
    out: Way, readers: list[Subscription], issue: Issue, write_article: Callable[..., Article]
) -> dict[str, Delivered]:
    """What each reader got of an issue, by address."""
    write_article(issue=issue, en="Harvest & weather", be="Ураджай, надвор’е", ru="Урожай")
    write_article(issue=issue, en="Only in English")
    write_article(issue=issue, ru="Только по-русски: " + "очень длинный заголовок " * 6)
    freeze(issue)
    send_all_due()
    delivered = out.delivered()
    assert len(delivered) == len(readers)
    return {mail.to: mail for mail in delivered}


def test_each_reader_got_one_of_their_own(mails: dict[str, Delivered]) -> None:
    """Traps 2 and 3: a Unicode domain loses neither headers nor data; nobody sees another."""
    assert set(mails) == {ENGLISH, BELARUSIAN, "second.be@readers.example"}
    links = {mail.header("List-Unsubscribe") for mail in mails.values()}
    assert len(links) == 3
    for address, mail in mails.items():
        whole = mail.text + mail.html + str(mail.headers).replace(str(mail.headers.get("to")), "")
        assert not [other for other in mails if other in whole and other != address]


def test_a1_who_and_what(mails: dict[str, Delivered]) -> None:
    for address, mail in mails.items():
        assert mail.to == address
        assert mail.sender[1] == SENDER
        assert mail.subject
        if not mail.raw:
            continue  # the provider writes Date and Message-ID
        for name in ("From", "Date", "Message-ID", "To", "Subject"):
            assert len(mail.headers[name.lower()]) == 1
        assert mail.header("Message-ID").endswith(f"@{SENDER.partition('@')[2]}>")
        age = timezone.now() - parsedate_to_datetime(mail.header("Date"))
        assert timedelta(0) <= age < timedelta(minutes=1)
    assert mails[BELARUSIAN].sender[0] == "Тыдзень у фокусе"
    assert mails[BELARUSIAN].subject == "Ураджай, надвор’е"


def test_a2_lines_and_characters(mails: dict[str, Delivered]) -> None:
    for mail in mails.values():
        for name, values in mail.headers.items():
            assert not re.search(r"[\r\n]", "".join(values)), name
        if mail.raw:
            assert mail.raw.isascii()
            assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
            assert mail.raw.count(b"\n") == mail.raw.count(b"\r\n")


def test_a2_a_subject_with_a_line_break_is_refused(
    out: Way, readers: list[Subscription], issue: Issue, write_article: Callable[..., Article]
) -> None:
    write_article(issue=issue, en="Harvest", be="Ураджай")
    for language in ("en", "be"):
        IssueTranslation.objects.create(
            issue=issue, language=language, subject="News\r\nBcc: everybody@readers.example"
        )
    mailing = freeze(issue)
    send_all_due()
    assert (mailing.state, mailing.hold) == (Mailing.State.HELD, Mailing.Hold.UNRENDERABLE)
    assert not out.delivered()


def test_a3_text_first_then_html(mails: dict[str, Delivered]) -> None:
    for mail in mails.values():
        assert mail.text
        assert mail.html
        if not mail.raw:
            continue
        message: Any = message_from_bytes(mail.raw, policy=policy.default)
        assert message.get_content_type() == "multipart/alternative"
        parts = list(message.iter_parts())
        assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
        for part in parts:
            assert part.get_content_charset() == "utf-8"
            assert part["Content-Transfer-Encoding"] in {"quoted-printable", "base64"}


def test_a4_one_click_headers(mails: dict[str, Delivered]) -> None:
    for mail in mails.values():
        url = re.fullmatch(r"<(https?://[!-~]+)>", mail.header("List-Unsubscribe"))
        assert url
        assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
        lists = [line for line in mail.raw.split(b"\r\n") if line.lower().startswith(b"list-")]
        assert not [line for line in lists if b"=?" in line]  # trap 1
        assert not [value for value in mail.headers["list-id"] if "=?" in value]


@pytest.mark.parametrize("encoding", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_a5_the_one_click_post_works(
    mails: dict[str, Delivered], readers: list[Subscription], encoding: str
) -> None:
    def state() -> str:
        return str(Subscription.objects.get(pk=readers[1].pk).state)

    path = urlsplit(mails[BELARUSIAN].header("List-Unsubscribe").strip("<>")).path
    client = Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
    assert state() == "active"
    for _ in range(2):
        if encoding == "multipart/form-data":
            answer = client.post(path, {"List-Unsubscribe": "One-Click"})
        else:
            answer = client.post(path, "List-Unsubscribe=One-Click", content_type=encoding)
        assert answer.status_code in {200, 202}
        assert not answer.cookies
        assert state() == "unsubscribed"
    forged = path[:-2] + ("A" if path[-2] != "A" else "B") + "/"
    assert client.post(forged, {"List-Unsubscribe": "One-Click"}).status_code == 404


def test_a8_the_list_has_a_stable_name(mails: dict[str, Delivered]) -> None:
    domain = SENDER.partition("@")[2]
    assert mails[ENGLISH].header("List-Id").endswith(f"<weekly.en.{domain}>")
    assert mails[BELARUSIAN].header("List-Id").endswith(f"<weekly.be.{domain}>")


def test_a9_feedback_names_no_person(mails: dict[str, Delivered]) -> None:
    values = [mail.header("Feedback-ID").split(":") for mail in mails.values()]
    for value in values:
        assert len(value) == 4
        assert 5 <= len(value[3]) <= 15
    first, second = (mails[to].header("Feedback-ID") for to in mails if to != ENGLISH)
    assert first == second


def test_a10_languages_are_named(mails: dict[str, Delivered]) -> None:
    for address, language in ((ENGLISH, "en"), (BELARUSIAN, "be")):
        assert mails[address].header("Content-Language") == language
        (html,) = Html(mails[address].html).all("html")
        assert (html.attributes["lang"], html.attributes["dir"]) == (language, "ltr")
    headlines = Html(mails[BELARUSIAN].html).all("h2")
    assert [h.attributes["lang"] for h in headlines] == ["be", "ru"]
    (elsewhere,) = [a for a in Html(mails[BELARUSIAN].html).all("a") if a.text == "Only in English"]
    assert elsewhere.attributes["lang"] == "en"


def test_a10_a_confirmation_says_that_a_machine_wrote_it(out: Way, weekly: Newsletter) -> None:
    lifecycle.request(
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
    (mail,) = out.delivered()
    assert mail.header("Auto-Submitted") == "auto-generated"
    assert mail.header("Content-Language") == "be"
    assert "list-unsubscribe" not in mail.headers
    assert re.search(r"https?://\S+/be/confirm/\S+/", mail.text)
    assert "places.invalid" not in mail.text + mail.html


def test_a11_size_and_a_way_out_near_the_top(mails: dict[str, Delivered]) -> None:
    for mail in mails.values():
        assert len(mail.html.encode()) < 102_000
        url = mail.header("List-Unsubscribe").strip("<>")
        assert url in Html(mail.html).links()[:2]


def test_a12_the_text_says_the_same(mails: dict[str, Delivered]) -> None:
    for mail in mails.values():
        for link in Html(mail.html).links():
            assert link in mail.text
        flat = " ".join(mail.text.split())
        for heading in Html(mail.html).all("h1", "h2", "h3"):
            assert heading.text in flat
        assert not re.search(r"<[a-z/]|&[a-z]+;|{[{%]", mail.text)
        for form in (mail.text, mail.html):
            assert not re.search(r"places\.invalid|%recipient|-tydzen_|{{|slot-", form)

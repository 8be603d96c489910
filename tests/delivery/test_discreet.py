"""A discreet reader's mails, from the confirmation to the digest: nothing says whose they are."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.planning import snapshot
from newsletter.delivery.transactional import outbox
from newsletter.editorial.models import (
    ArticleTranslation,
    Issue,
    IssueTranslation,
    Newsletter,
    NewsletterTranslation,
    Newsroom,
)
from newsletter.transport.memory import MemoryTransport
from subscribers import discreet_domain, intake, lifecycle
from subscribers.models import Subscription, TransactionalEmail
from tests.conftest import NAMES, WriteArticle
from tests.delivery.conftest import AddReader, send_all_due
from tests.subscribers.conftest import filled

pytestmark = pytest.mark.django_db
READER = "ala@readers.example"
NEUTRAL = "https://notes.example.net"
BRAND = [
    *NAMES.values(),
    "news.example.org",
    "weekly",
    "127.0.0.1",
    "testserver",
    "tydzen",
    "Our street 1",
    "Our footer",
    "t.me/ours",
    "Brand subject",
    "Brand preheader",
]


@pytest.fixture(autouse=True)
def _neutral_domain(settings: Any) -> None:
    settings.DISCREET_URL = NEUTRAL
    settings.DISCREET_SENDER = "post@notes.example.net"
    settings.DISCREET_NAME = "Notes"
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "notes.example.net", "testserver"]
    cache.clear()


@pytest.fixture
def out(weekly: Newsletter, issue: Issue, write_article: WriteArticle) -> Issue:
    """An approved issue, with the newsroom's name wherever it can stand."""
    Newsroom.objects.update(postal_address="Our street 1", accent="#123456")
    NewsletterTranslation.objects.update(footer="Our footer", sender_name="Week in View desk")
    for language in NAMES:
        IssueTranslation.objects.create(
            issue=issue,
            language=language,
            subject="Brand subject",
            preheader="Brand preheader",
            introduction='<p>Hello. <a href="https://t.me/ours">Follow us</a></p>',
        )
    write_article(issue=issue, en="Talks", be="Перамовы")
    write_article(issue=issue, ru="Только по-русски")
    body = '<p>As <a href="/en/articles/other/">we wrote</a>.</p>'
    ArticleTranslation.objects.update(body=body)
    Issue.objects.update(state=Issue.State.APPROVED)
    issue.refresh_from_db()
    return issue


def only_mail(relay: MemoryTransport) -> tuple[str, EmailMessage]:
    """The one mail so far, as source and its parts decoded, and parsed."""
    [mail] = relay.delivered
    texts = [part for part in mail.parsed.walk() if part.get_content_maintype() == "text"]
    parts = [part.get_content() for part in texts]
    headers = "\n".join(f"{name}: {value}" for name, value in mail.parsed.items())
    whole = "\n".join([mail.message.decode("latin-1"), "--decoded--", headers, *parts])
    return whole, mail.parsed


def assert_neutral(relay: MemoryTransport) -> EmailMessage:
    whole, mail = only_mail(relay)
    found = [word for word in BRAND if word.lower() in whole.lower()]
    assert found == []
    assert mail["From"] == "Notes <post@notes.example.net>"
    assert mail["Message-ID"].endswith("@notes.example.net>")
    links = set(re.findall(r"https?://[^/\"<>\s]+", whole.partition("--decoded--")[2]))
    assert {link for link in links if "w3.org" not in link and "microsoft" not in link} == {NEUTRAL}
    assert not [part for part in mail.walk() if part.get_content_maintype() == "image"]
    return mail


def test_from_the_confirmation_to_the_digest(
    client: Client, out: Issue, relay: MemoryTransport
) -> None:
    client.post("/be/subscribe/", filled(email=READER, choices=["be,ru"], discreet="on"))
    intake.drain(10)
    outbox.drain()
    confirmation = assert_neutral(relay)
    assert "Notes" in confirmation["Subject"]

    link = re.search(rf"{NEUTRAL}(/be/confirm/[\w-]+/)", only_mail(relay)[0])
    assert link is not None
    client.post(link[1], headers={"host": "notes.example.net"})
    assert Subscription.objects.get().state == "active"

    relay.delivered.clear()
    snapshot.prepare(snapshot.send_now(out, by=None).pk)
    send_all_due()
    digest = assert_neutral(relay)
    assert digest["Subject"] == "Notes, 24–30 ліпеня 2017"
    assert digest["List-Id"] == "letter <letter.be.notes.example.net>"
    assert digest["List-Unsubscribe"].startswith(f"<{NEUTRAL}/u/")
    assert digest["Feedback-ID"] is None
    edition = Edition.objects.get()
    assert edition.discreet
    assert "Перамовы" not in edition.preheader
    assert "Перамовы" in edition.text
    assert len(edition.preheader) >= 40


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_the_preheader_says_nothing_in_any_language(
    add_reader: AddReader, out: Issue, relay: MemoryTransport, language: str
) -> None:
    add_reader(READER, language, discreet=True)
    snapshot.prepare(snapshot.send_now(out, by=None).pk)
    send_all_due()
    assert_neutral(relay)
    edition = Edition.objects.get()
    assert not [word for word in ("Talks", "Перамовы", "Только") if word in edition.preheader]
    assert "Talks" not in edition.subject


@pytest.mark.parametrize(
    "kind", [kind for kind in TransactionalEmail.Kind if kind not in {"issue", "change"}]
)
def test_each_letter_is_neutral(
    add_reader: AddReader, out: Issue, relay: MemoryTransport, kind: str
) -> None:
    state = "pending" if kind == "confirmation" else "active"
    subscription = add_reader(READER, "en", discreet=True, state=state)
    TransactionalEmail.objects.create(
        kind=kind,
        subscriber=subscription.subscriber,
        newsletter=subscription.newsletter,
        about=str(subscription.pk),
        due_at="2017-01-01T00:00Z",
    )
    outbox.drain()
    assert_neutral(relay)


def test_others_get_their_own(add_reader: AddReader, out: Issue, relay: MemoryTransport) -> None:
    add_reader(READER, "en", discreet=True)
    add_reader("other@readers.example", "en")
    snapshot.prepare(snapshot.send_now(out, by=None).pk)
    send_all_due()
    by_address = {mail.address: mail.parsed for mail in relay.delivered}
    assert by_address["other@readers.example"]["Subject"] == "Brand subject"
    assert by_address["other@readers.example"]["From"].addresses[0].domain == "news.example.org"
    assert by_address[READER]["From"].addresses[0].domain == "notes.example.net"


def test_without_the_neutral_domain_nothing_goes_out_under_our_name(
    add_reader: AddReader, out: Issue, relay: MemoryTransport, settings: Any
) -> None:
    subscription = add_reader(READER, "en", discreet=True)
    settings.DISCREET_URL = ""
    snapshot.send_now(out, by=None)
    mailing = snapshot.prepare(Mailing.objects.get().pk)
    send_all_due()
    assert mailing.state == Mailing.State.HELD
    TransactionalEmail.objects.create(
        kind="already",
        subscriber=subscription.subscriber,
        newsletter=subscription.newsletter,
        due_at="2017-01-01T00:00Z",
    )
    outbox.drain()
    assert TransactionalEmail.objects.get().state == "failed"
    assert not relay.delivered


# --- Pages under the neutral domain -----------------------------------------------------------
def test_a_readers_pages_are_bare(client: Client, add_reader: AddReader, out: Issue) -> None:
    from subscribers.links import reader_urls

    subscription = add_reader(READER, "en", discreet=True)
    lifecycle.change(subscription.pk, page_language="en", discreet=True)
    for url in (
        reader_urls.one_click_url(subscription.pk, site=NEUTRAL),
        reader_urls.preferences_url(subscription.pk, "en", site=NEUTRAL),
        reader_urls.account_url(subscription.pk, "en", site=NEUTRAL),
    ):
        assert url.startswith(NEUTRAL)
        page = client.get(url.removeprefix(NEUTRAL), headers={"host": "notes.example.net"})
        assert page.status_code == 200
        # The rhythm's value is called as the newsletter is here.
        whole = page.content.decode().replace('value="weekly"', "")
        assert [word for word in BRAND if word.lower() in whole.lower()] == []


@pytest.mark.parametrize(
    "path",
    [
        "/en/",
        "/en/issues/",
        "/en/about/",
        "/admin/",
        "/en/subscribe/",
        "/by/",
        "/en/feed.xml",
        "/sitemap.xml",
        "/robots.txt",
        "/media/x",
        "/en/embed/weekly/",
        "/en/embed/weekly",
        "/en/no-such-page/",
        "/en/preferences/x/../../about/",
    ],
)
def test_nothing_else_is_there(client: Client, out: Issue, path: str) -> None:
    answer = client.get(path, headers={"host": "notes.example.net"})
    assert answer.status_code == 404
    assert answer.content == b"Not found.\n"


def test_the_edition_in_the_browser_leads_nowhere(
    client: Client, add_reader: AddReader, out: Issue, relay: MemoryTransport
) -> None:
    add_reader(READER, "en", discreet=True)
    snapshot.send_now(out, by=None)
    snapshot.prepare(Mailing.objects.get().pk)
    edition = Edition.objects.get()
    page = client.get(f"/view/{edition.public_id}/", headers={"host": "notes.example.net"})
    whole = page.content.decode()
    assert "Talks" in whole
    assert [word for word in BRAND if word.lower() in whole.lower()] == []


def test_it_is_offered_only_with_a_neutral_domain(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    assert 'name="discreet"' in client.get("/en/subscribe/").content.decode()
    settings.DISCREET_URL = ""
    assert 'name="discreet"' not in client.get("/en/subscribe/").content.decode()
    assert not discreet_domain.is_offered()
    client.post("/en/subscribe/", filled(discreet="on"))
    intake.drain(10)
    assert not Subscription.objects.get().discreet


def test_no_template_of_the_bare_frame_names_the_newsroom() -> None:
    assert "newsroom" not in Path("templates/subscribers/discreet_base.html").read_text(encoding="utf-8")

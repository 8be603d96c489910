"""No email to a discreet reader says whose it is, from the confirmation to the digest."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.planning import snapshot, start
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
from tests.approving import approve_all
from tests.conftest import NAMES, WriteArticle
from tests.delivery.conftest import AddReader, send_all_due
from tests.subscribers.conftest import filled

pytestmark = pytest.mark.django_db
READER = "ala@readers.example"
NEUTRAL = "https://notes.example.net"
SLUG = "krona"
BRAND = [
    *NAMES.values(),
    "news.example.org",
    SLUG,
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
    """An approved issue with the newsroom's name wherever it can appear."""
    Newsroom.objects.update(postal_address="Our street 1", accent="#123456")
    # The slug of other tests, “weekly”, is a word of the neutral texts.
    Newsletter.objects.update(slug=SLUG)
    weekly.refresh_from_db()
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
    approve_all()
    issue.refresh_from_db()
    return issue


def only_message(relay: MemoryTransport) -> tuple[str, EmailMessage]:
    """Return the only message so far: its source with decoded texts, and parsed."""
    [message] = relay.delivered
    texts = [part for part in message.parsed.walk() if part.get_content_maintype() == "text"]
    parts = [part.get_content() for part in texts]
    headers = "\n".join(f"{name}: {value}" for name, value in message.parsed.items())
    source = message.message.decode("latin-1")
    return "\n".join([source, "--decoded--", headers, *parts]), message.parsed


def brand_words(text: str) -> list[str]:
    """Return what in the text names the newsroom."""
    return [word for word in BRAND if word.lower() in text.lower()]


def assert_neutral(relay: MemoryTransport) -> EmailMessage:
    source, message = only_message(relay)
    assert brand_words(source) == []
    assert message["From"] == "Notes <post@notes.example.net>"
    assert message["Message-ID"].endswith("@notes.example.net>")
    links = set(re.findall(r"https?://[^/\"<>\s]+", source.partition("--decoded--")[2]))
    assert {link for link in links if "w3.org" not in link and "microsoft" not in link} == {NEUTRAL}
    assert not [part for part in message.walk() if part.get_content_maintype() == "image"]
    return message


def test_everything_from_the_confirmation_to_the_digest_is_neutral(
    client: Client, out: Issue, relay: MemoryTransport
) -> None:
    form = filled(newsletter=SLUG, email=READER, choices=["be,ru"], discreet="on")
    client.post("/be/subscribe/", form)
    intake.drain(10)
    outbox.drain()
    confirmation = assert_neutral(relay)
    assert "Notes" in confirmation["Subject"]

    link = re.search(rf"{NEUTRAL}(/be/confirm/[\w-]+/)", only_message(relay)[0])
    assert link is not None
    client.post(link[1], headers={"host": "notes.example.net"})
    assert Subscription.objects.get().state == "active"

    relay.delivered.clear()
    snapshot.prepare(start.send_now(out, by=None).pk)
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
def test_the_preheader_is_neutral_in_each_language(
    add_reader: AddReader, out: Issue, relay: MemoryTransport, language: str
) -> None:
    add_reader(READER, language, discreet=True)
    snapshot.prepare(start.send_now(out, by=None).pk)
    send_all_due()
    assert_neutral(relay)
    edition = Edition.objects.get()
    assert not [word for word in ("Talks", "Перамовы", "Только") if word in edition.preheader]
    assert "Talks" not in edition.subject


@pytest.mark.parametrize(
    "kind", [kind for kind in TransactionalEmail.Kind if kind not in {"issue", "change"}]
)
def test_each_transactional_email_is_neutral(
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


def test_other_readers_get_the_branded_email(
    add_reader: AddReader, out: Issue, relay: MemoryTransport
) -> None:
    add_reader(READER, "en", discreet=True)
    add_reader("other@readers.example", "en")
    snapshot.prepare(start.send_now(out, by=None).pk)
    send_all_due()
    by_address = {message.address: message.parsed for message in relay.delivered}
    assert by_address["other@readers.example"]["Subject"] == "Brand subject"
    assert by_address["other@readers.example"]["From"].addresses[0].domain == "news.example.org"
    assert by_address[READER]["From"].addresses[0].domain == "notes.example.net"


def test_without_the_neutral_domain_nothing_is_sent_under_the_real_name(
    add_reader: AddReader, out: Issue, relay: MemoryTransport, settings: Any
) -> None:
    subscription = add_reader(READER, "en", discreet=True)
    settings.DISCREET_URL = ""
    start.send_now(out, by=None)
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
def test_a_readers_pages_are_neutral(client: Client, add_reader: AddReader, out: Issue) -> None:
    from subscribers.links import reader_urls
    from subscribers.links.tokens import LinkPurpose

    subscription = add_reader(READER, "en", discreet=True)
    lifecycle.change(subscription.pk, page_language="en", discreet=True)
    for url in (
        reader_urls.url(LinkPurpose.UNSUBSCRIBE, subscription.pk, "en", site=NEUTRAL),
        reader_urls.url(LinkPurpose.PREFERENCES, subscription.pk, "en", site=NEUTRAL),
        reader_urls.url(LinkPurpose.ACCOUNT, subscription.pk, "en", site=NEUTRAL),
    ):
        assert url.startswith(NEUTRAL)
        page = client.get(url.removeprefix(NEUTRAL), headers={"host": "notes.example.net"})
        assert page.status_code == 200
        assert brand_words(page.content.decode()) == []


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
def test_other_pages_do_not_exist_there(client: Client, out: Issue, path: str) -> None:
    response = client.get(path, headers={"host": "notes.example.net"})
    assert response.status_code == 404
    assert response.content == b"Not found.\n"


def test_the_edition_in_the_browser_is_neutral(
    client: Client, add_reader: AddReader, out: Issue, relay: MemoryTransport
) -> None:
    add_reader(READER, "en", discreet=True)
    start.send_now(out, by=None)
    snapshot.prepare(Mailing.objects.get().pk)
    edition = Edition.objects.get()
    page = client.get(f"/view/{edition.public_id}/", headers={"host": "notes.example.net"})
    html = page.content.decode()
    assert "Talks" in html
    assert brand_words(html) == []


def test_discretion_is_only_offered_with_a_neutral_domain(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    assert 'name="discreet"' in client.get("/en/subscribe/").content.decode()
    settings.DISCREET_URL = ""
    assert 'name="discreet"' not in client.get("/en/subscribe/").content.decode()
    assert not discreet_domain.is_configured()
    client.post("/en/subscribe/", filled(discreet="on"))
    intake.drain(10)
    assert not Subscription.objects.get().discreet


def test_the_neutral_base_template_does_not_use_the_newsroom() -> None:
    template = Path("templates/subscribers/discreet_base.html")
    assert "newsroom" not in template.read_text(encoding="utf-8")

"""Two readers' journeys through pages and emails (B9).

A discreet one goes from the form to the digest; the other has their data deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.apps import apps
from django.core.cache import cache
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, Page, expect

from newsletter.delivery.models import Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.transactional import outbox
from newsletter.editorial.models import (
    Issue,
    IssueTranslation,
    Newsletter,
    NewsletterTranslation,
    Newsroom,
)
from newsletter.local import message_view
from newsletter.transport.outcomes import Result
from subscribers import intake, lifecycle
from subscribers.addresses import normalise
from subscribers.crypto.sealing import address_hash
from subscribers.models import Subscriber, Subscription, Suppression, TransactionalEmail
from tests.conftest import NAMES, WriteArticle
from tests.delivery.conftest import prepare_mailing, reset_transports, send_all_due
from tests.e2e.relay import EchoingRelay

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.xdist_group("readers")]
READER = "ala@readers.example"
OTHER = "zosia@readers.example"
BRAND = [
    *NAMES.values(),
    "news.example.org",
    "weekly",
    "tydzen",
    "Our street 1",
    "Our footer",
    "Brand subject",
    "Brand preheader",
    "Week in View desk",
    "masthead",
]


@pytest.fixture(scope="module", autouse=True)
def _allow_queries_beside_a_browser() -> Iterator[None]:
    # While Playwright runs, Django believes that this thread runs an event loop.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def relay(settings: Any, tmp_path: Path) -> Iterator[EchoingRelay]:
    """The only transport, which signs with DKIM."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    with EchoingRelay() as opened:
        settings.DELIVERY_TRANSPORTS = [
            f"smtp://127.0.0.1:{opened.port}?dkim_selector=s1&dkim_key_file={tmp_path / 'dkim.pem'}"
        ]
        reset_transports()
        yield opened
        reset_transports()


@pytest.fixture
def phone(chromium: Browser, live_server: Any) -> Iterator[Page]:
    cache.clear()
    size = {"width": 375, "height": 700}
    with chromium.new_context(base_url=live_server.url, viewport=size) as context:  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        yield context.new_page()


@pytest.fixture
def branded_issue(weekly: Newsletter, issue: Issue, write_article: WriteArticle) -> Issue:
    """An issue that names the newsroom wherever it can."""
    Newsroom.objects.update(postal_address="Our street 1")
    NewsletterTranslation.objects.update(footer="Our footer", sender_name="Week in View desk")
    for language in NAMES:
        IssueTranslation.objects.create(
            issue=issue, language=language, subject="Brand subject", preheader="Brand preheader"
        )
    write_article(issue=issue, en="Talks", be="Перамовы", ru="Переговоры")
    return issue


# --- Discreet ---------------------------------------------------------------------------------
@pytest.fixture
def discreet_site(live_server: Any, settings: Any) -> str:
    """The discreet site: the same server under a name that browsers resolve to loopback."""
    settings.SITE_URL = live_server.url
    settings.DISCREET_URL = f"http://notes.localhost:{urlsplit(live_server.url).port}"
    settings.DISCREET_SENDER = "post@notes.example"
    settings.DISCREET_NAME = "Notes"
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "notes.localhost"]
    return str(settings.DISCREET_URL)


class DiscreetEmail:
    """The next email that the relay accepted; its checks find nothing that names the newsroom."""

    def __init__(self, relay: EchoingRelay, site: str, own: str) -> None:
        ((to, raw),) = relay.accepted
        (return_path,) = relay.return_paths
        relay.accepted.clear()
        relay.return_paths.clear()
        self.message: Any = message_from_bytes(raw, policy=policy.default)
        self.text, self.html = (
            message_view.plain_text(self.message),
            message_view.html(self.message),
        )
        headers = "\n".join(f"{name}: {value}" for name, value in self.message.items())
        self.whole = "\n".join([raw.decode("latin-1"), headers, self.text, self.html])
        assert to == READER
        assert brand_in(self.whole, own) == []
        assert self.message["From"] == "Notes <post@notes.example>"
        assert self.message["Message-ID"].endswith("@notes.example>")
        assert self.message["Reply-To"] is None
        assert return_path.endswith("@notes.example")
        signature = "".join(self.message["DKIM-Signature"].split())
        assert ";d=notes.example;" in signature
        assert not [p for p in self.message.walk() if p.get_content_maintype() == "image"]
        assert "<img" not in self.html
        assert {url.partition("/")[0] for url in self.links(f"{urlsplit(site).scheme}://")} == {
            urlsplit(site).netloc
        }

    def links(self, prefix: str) -> set[str]:
        """Return each link without this prefix."""
        found = re.findall(r'href="([^"]+)"', self.html) + re.findall(r"https?://\S+", self.text)
        return {url.removeprefix(prefix) for url in found if url.startswith("http")}


def brand_in(text: str, own: str) -> list[str]:
    """Return what in the text identifies the newsroom."""
    # The neutral preheader happens to contain the newsletter's slug.
    text = text.replace("Your weekly email", "")
    return [word for word in [*BRAND, own] if word.lower() in text.lower()]


def assert_no_brand(page: Page, own: str) -> None:
    """Check the open page's HTML, its title, and that it loads no picture or frame."""
    # A choice of frequency has the same value as the newsletter's slug.
    assert brand_in(page.content().replace('value="weekly"', ""), own) == []
    assert brand_in(page.title(), own) == []
    assert page.locator("img, iframe").count() == 0


def assert_links_open(phone: Page, email: DiscreetEmail, site: str, own: str) -> None:
    """Check that every link of the email opens a page that does not name the newsroom."""
    for url in sorted(email.links("")):
        response = phone.goto(url)
        assert response is not None
        assert response.status == 200, url
        assert phone.url.startswith(site)
        assert_no_brand(phone, own)


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_discreet_readers_emails_and_pages_do_not_name_the_newsroom(
    phone: Page,
    branded_issue: Issue,
    relay: EchoingRelay,
    live_server: Any,
    discreet_site: str,
    language: str,
) -> None:
    own = live_server.url.removeprefix("http:")
    with translation.override(language):
        labels = {
            text: gettext(text)
            for text in ("Discreet emails", "Check your inbox", "Confirm subscription")
        }
    # The form is on the newsroom's own site.
    phone.goto(f"/{language}/subscribe/?newsletter=weekly")
    phone.locator("main input[type=email]").fill(READER)
    phone.locator("main").get_by_label(labels["Discreet emails"]).check()
    phone.locator("main form button").first.click()
    expect(phone.get_by_role("heading", level=1)).to_have_text(labels["Check your inbox"])
    assert intake.drain(10) == 1
    assert outbox.drain() == 1
    confirmation = DiscreetEmail(relay, discreet_site, own)
    assert "Notes" in confirmation.message["Subject"]

    (link,) = {url for url in confirmation.links("") if "/confirm/" in url}
    phone.goto(link)
    assert_no_brand(phone, own)
    phone.get_by_role("button", name=labels["Confirm subscription"]).click()
    phone.wait_for_url(re.compile(r"/welcome/$"))
    assert phone.url.startswith(discreet_site)
    assert_no_brand(phone, own)
    assert Subscription.objects.get().state == "active"
    assert relay.accepted == []

    prepare_mailing(branded_issue)
    send_all_due()
    digest = DiscreetEmail(relay, discreet_site, own)
    assert digest.message["Subject"].startswith("Notes, ")
    assert digest.message["List-Id"] == f"letter <letter.{language}.notes.example>"
    assert digest.message["List-Unsubscribe"].startswith(f"<{discreet_site}/u/")
    assert digest.message["Feedback-ID"] is None

    # As an email app renders it; it must load nothing.
    requested: list[str] = []
    phone.on("request", lambda request: requested.append(request.url))
    phone.goto("about:blank")
    phone.set_content(digest.html)
    assert requested in ([], ["about:blank"])
    assert brand_in(phone.locator("body").inner_text(), own) == []
    headline = {"en": "Talks", "be": "Перамовы", "ru": "Переговоры"}[language]
    expect(phone.get_by_text(headline).first).to_be_visible()
    assert_links_open(phone, digest, discreet_site, own)
    response = phone.goto(discreet_site + f"/{language}/")
    assert response is not None
    assert response.status == 404
    assert_no_brand(phone, own)


# --- Erasure ----------------------------------------------------------------------------------
def columns_identifying(reader: Subscriber, *more: bytes) -> list[str]:
    """Return the columns that still identify this reader: by ID, public ID, address or sealed
    address."""
    marks = [reader.public_id.bytes, *more]
    found = []
    for model in apps.get_models():
        for row in model._default_manager.values():
            for column, value in row.items():
                by_id = "subscriber" in column and value == reader.pk
                raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                known = str(reader.public_id).encode() in raw or any(m in raw for m in marks)
                if by_id or known or READER.encode() in raw:
                    found.append(f"{model.__name__}.{column}")
    return found


def test_b9_erasure_leaves_only_counts_and_a_suppression(
    phone: Page, branded_issue: Issue, relay: EchoingRelay, live_server: Any, settings: Any
) -> None:
    settings.SITE_URL = live_server.url
    weekly = Newsletter.objects.get()
    for address in (READER, OTHER):
        lifecycle.add_confirmed(
            address, newsletter=weekly, languages=["en"], page_language="en", source="operator"
        )
    reader = Subscription.objects.order_by("pk")[0].subscriber
    sealed = bytes(reader.sealed_address)
    prepare_mailing(branded_issue)
    send_all_due()
    assert sorted(to for to, _raw in relay.accepted) == sorted([READER, OTHER])
    assert {"ReleaseRecipient.subscriber_id", "Outcome.subscriber_id"} <= set(
        columns_identifying(reader, sealed)
    )

    # A link in an old email isn't enough: the reader requests a new one.
    phone.goto("/en/preferences/")
    phone.locator("main input[type=email]").fill(READER)
    phone.locator("main form button").click()
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    phone.wait_for_url(re.compile("/preferences/sent/"))
    assert intake.drain(10) == 1
    assert outbox.drain() == 1
    text = message_view.plain_text(
        message_from_bytes(relay.messages(READER)[-1], policy=policy.default)
    )
    (link,) = set(re.findall(r"https?://\S+/account/[^/\s]+/", text))
    phone.goto(link)
    phone.get_by_role("link", name="Delete my data").click()
    phone.locator("main form button").click()
    phone.wait_for_url(re.compile("/account/deleted/"))
    intake.drain(10)

    assert columns_identifying(reader, sealed) == []
    assert not TransactionalEmail.objects.filter(subscriber_id=reader.pk).exists()
    # The counts stay: two were sent, one of them to nobody any more.
    assert Outcome.objects.filter(result=Result.SENT).count() == 2
    assert ReleaseRecipient.objects.count() == 2
    [finding] = audit(Mailing.objects.get().pk)
    assert finding.faults == []
    # So does the keyed hash that keeps an old list from adding the reader again.
    (suppression,) = Suppression.objects.all()
    assert (suppression.reason, bytes(suppression.address_hash)) == (
        "erased",
        address_hash(normalise(READER)).digest,
    )
    # The link no longer works.
    response = phone.goto(link)
    assert response is not None
    assert response.status in {404, 410}
    assert READER not in phone.content()

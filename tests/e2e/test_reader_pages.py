"""A reader's pages in a browser: the form on a foreign page, the choices on a phone and by keyboard
alone, and axe's findings on every page (B7, A13)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.urls import resolve, reverse
from django.utils import translation
from playwright.sync_api import Browser, Page, expect

import subscribers.urls
from newsletter.delivery.models import Edition
from newsletter.editorial.models import Article, Issue, Newsletter, Topic
from newsletter.web import machine_urls as web_machine_urls
from newsletter.web import urls as web_urls
from subscribers import intake, lifecycle
from subscribers.addresses import normalise
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.conftest import WriteArticle
from tests.delivery.conftest import prepare_mailing

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.xdist_group("readers")]
READER = "ala@readers.example"
PHONE = {"width": 375, "height": 700}


@pytest.fixture(scope="module", autouse=True)
def _beside_a_browser() -> Iterator[None]:
    # While Playwright runs, Django takes this thread for an event loop's.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


@pytest.fixture
def out(
    live_server: Any, weekly: Newsletter, security: Topic, write_article: WriteArticle
) -> Newsletter:
    """The weekly with an issue that is out."""
    issue = Issue.objects.create(
        newsletter=weekly, starts_on=date(2017, 7, 24), ends_on=date(2017, 7, 30)
    )
    write_article(issue=issue, topic=security, en="Talks", be="Перамовы", ru="Переговоры")
    Issue.objects.update(state=Issue.State.APPROVED)
    return weekly


@pytest.fixture
def reader(out: Newsletter) -> Subscription:
    return lifecycle.add_confirmed(
        READER, newsletter=out, languages=["en", "be"], page_language="en", source="operator"
    )


@pytest.fixture
def phone(chromium: Browser, live_server: Any) -> Iterator[Page]:
    with chromium.new_context(
        base_url=live_server.url, viewport=PHONE, java_script_enabled=True
    ) as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


def path(name: str, purpose: LinkPurpose, pk: int) -> str:
    with translation.override("en"):
        return reverse(f"subscribers:{name}", args=[tokens.make(purpose, pk)])


# --- On a foreign page ------------------------------------------------------------------------
@pytest.fixture
def foreign() -> Iterator[Callable[[str], str]]:
    """A function that puts HTML on a site of somebody else's, and says where."""
    pages: list[bytes] = [b""]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages[0])

        def log_message(self, *args: object) -> None:
            """Nothing is told."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def put(html: str) -> str:
            pages[0] = f"<!DOCTYPE html><title>A blog</title>{html}".encode()
            return f"http://127.0.0.1:{server.server_address[1]}/"

        yield put
        server.shutdown()
        thread.join()


def test_b7_the_form_in_a_frame_of_a_foreign_page(
    phone: Page, out: Newsletter, live_server: Any, foreign: Callable[[str], str]
) -> None:
    """It comes back at once, so what lets it in is the browser's proof of work."""
    frame_url = f"{live_server.url}/be/embed/weekly/"
    phone.goto(foreign(f'<iframe src="{frame_url}" width="350" height="500"></iframe>'))
    frame = phone.frame_locator("iframe")
    frame.locator("input[type=email]").fill(READER)
    frame.get_by_role("button").click()
    with translation.override("be"):
        heading = translation.gettext("Check your inbox")
    expect(frame.get_by_role("heading", level=1)).to_have_text(heading)
    assert phone.context.cookies() == []
    assert intake.drain(10) == 1
    assert Subscription.objects.get().languages == ("be", "ru")


def test_b7_a_form_of_one_line_in_a_foreign_pages_own_html(
    chromium: Browser, out: Newsletter, live_server: Any, foreign: Callable[[str], str]
) -> None:
    url = f"{live_server.url}/en/embed/weekly/"
    form = f'<form action="{url}" method="post"><input name="email"><button>Go</button></form>'
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(foreign(form))
        page.locator("input").fill(READER)
        page.get_by_role("button").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
        assert context.cookies() == []
    assert Intake.objects.count() == 1


def test_b7_no_other_page_can_be_framed(
    phone: Page, reader: Subscription, live_server: Any, foreign: Callable[[str], str]
) -> None:
    choices = live_server.url + path("preferences", LinkPurpose.PREFERENCES, reader.pk)
    phone.goto(foreign(f'<iframe src="{choices}"></iframe>'))
    expect(phone.frame_locator("iframe").get_by_role("heading", name="Preferences")).to_have_count(
        0
    )


# --- The choices ------------------------------------------------------------------------------
def test_the_choices_fit_a_phone(phone: Page, reader: Subscription) -> None:
    phone.goto(path("preferences", LinkPurpose.PREFERENCES, reader.pk))
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shown = phone.locator("main button:visible:not(.visually-hidden), main select")
    for box in [each.bounding_box() for each in shown.all()]:
        assert box is not None
        assert box["height"] >= 40
        assert box["x"] + box["width"] <= PHONE["width"]
    phone.get_by_label("First language").select_option("be")
    phone.get_by_label("Plain text only").check()
    phone.get_by_role("button", name="Save").last.click()
    expect(phone.get_by_text("Your preferences have been saved.")).to_be_visible()
    reader.refresh_from_db()
    assert (reader.languages, reader.plain_text) == (("be", "en"), True)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with these words, or with this label, has the focus."""
    for _press in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "[document.activeElement.textContent.trim(),"
            " ...[...document.activeElement.labels ?? []].map(each => each.textContent.trim())]"
        )
        if name in focused:
            return
    raise AssertionError(f"no way to “{name}” by the Tab key")


def enter(page: Page) -> None:
    """Press the button that has the focus, and wait for the page it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_choices_by_keyboard_alone(phone: Page, reader: Subscription) -> None:
    phone.goto(path("preferences", LinkPurpose.PREFERENCES, reader.pk))
    tab_to(phone, "Move беларуская up")
    outline = phone.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    enter(phone)
    expect(phone.get_by_text("Your preferences have been saved.")).to_be_visible()
    reader.refresh_from_db()
    assert reader.languages == ("be", "en")
    tab_to(phone, "Plain text only")
    phone.keyboard.press("Space")
    tab_to(phone, "Save")
    enter(phone)
    expect(phone.get_by_text("Your preferences have been saved.")).to_be_visible()
    reader.refresh_from_db()
    assert reader.plain_text
    tab_to(phone, "Unsubscribe")
    enter(phone)
    tab_to(phone, "Resubscribe me")
    enter(phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Preferences")


# --- axe --------------------------------------------------------------------------------------
def axe_script() -> str:
    """axe-core, where `AXE` names its file (.ci/run has npm bring it) or npm put it here."""
    named = os.environ.get("AXE", "node_modules/axe-core/axe.min.js")
    if not Path(named).is_file():
        pytest.skip("no axe-core here: npm install axe-core, or AXE=…/axe.min.js")
    return Path(named).read_text(encoding="utf-8")


NO_PAGE = {"send-latest", "undo", "held", "leave-all", "preview-mail", "feed", "one-click"}
NO_PAGE |= {
    "one-click-without-slash",
    "embedded-without-slash",
    "challenge",
    "healthz",
    "robots",
    "sitemap",
}
"""Addresses that show none of their own: they lead on, answer machines, or are a mail."""


def pages(reader: Subscription, pending: Subscription, move: TransactionalEmail) -> list[str]:
    own = ("you", "forget", "change-address")
    left = Subscription.objects.get(state="unsubscribed")
    edition = Edition.objects.get()
    return [
        "/en/",
        "/be/",
        "/ru/",
        "/en/issues/",
        "/en/issues/weekly/2017-07-24/",
        Article.objects.get().get_absolute_url(),
        "/en/topics/security/",
        "/en/about/",
        "/en/privacy/",
        "/en/nothing-here/",
        f"/view/{edition.public_id}/",
        path("unsubscribe", LinkPurpose.UNSUBSCRIBE, left.pk),
        path("preferences", LinkPurpose.PREFERENCES, left.pk),
        path("confirm", LinkPurpose.CONFIRM, left.pk),
        "/en/subscribe/",
        "/en/subscribe/asked/",
        "/en/preferences/",
        "/en/preferences/asked/",
        "/en/embed/weekly/",
        "/en/embed/weekly/asked/",
        "/en/you/forgotten/",
        "/en/you/moved/",
        "/en/you/change/asked/",
        f"/en/confirm/{'A' * 36}/",
        path("confirm", LinkPurpose.CONFIRM, pending.pk),
        path("confirmed", LinkPurpose.CONFIRM, reader.pk),
        path("preferences", LinkPurpose.PREFERENCES, reader.pk),
        path("preview", LinkPurpose.PREFERENCES, reader.pk),
        path("unsubscribe", LinkPurpose.UNSUBSCRIBE, reader.pk),
        path("move", LinkPurpose.CHANGE_ADDRESS, move.pk),
        *[path(name, LinkPurpose.ACCOUNT, reader.pk) for name in own],
    ]


def names(addresses: list[str]) -> set[str | None]:
    """The names of the pages, as urls.py has them."""
    found = set()
    for address in addresses:
        language = address.split("/")[1]
        with translation.override(language if language in {"be", "ru"} else "en"):
            if address != "/en/nothing-here/":
                found.add(resolve(urlsplit(address).path).url_name)
    return found


@pytest.fixture
def everything(reader: Subscription, out: Newsletter) -> list[str]:
    """The address of each page a reader can come to."""
    intake.receive_sign_up(
        normalise("new@readers.example"), newsletter=out, languages=("en",), page_language="en"
    )
    intake.receive_change(normalise("other@readers.example"), subscription_id=reader.pk)
    assert intake.drain(10) == 2
    left = lifecycle.add_confirmed(
        "left@readers.example",
        newsletter=out,
        languages=["en"],
        page_language="en",
        source="operator",
    )
    lifecycle.unsubscribe(left.pk)
    prepare_mailing(Issue.objects.get())
    pending = Subscription.objects.get(state="pending")
    return pages(reader, pending, TransactionalEmail.objects.get(kind="change"))


def test_each_page_is_looked_at(everything: list[str]) -> None:
    patterns = [
        pattern
        for each in (
            subscribers.urls.urlpatterns,
            subscribers.urls.machine_urlpatterns,
            web_urls.urlpatterns,
            web_machine_urls.urlpatterns,
        )
        for pattern in each
    ]
    there = {pattern.name for pattern in patterns if pattern.name}
    assert names(everything) | NO_PAGE == there
    assert not names(everything) & NO_PAGE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(
    chromium: Browser, live_server: Any, everything: list[str], scheme: Any
) -> None:
    script = axe_script()
    found = []
    # The page's own policy would refuse axe as it refuses any script that is not the site's.
    with chromium.new_context(
        base_url=live_server.url, bypass_csp=True, color_scheme=scheme
    ) as context:
        page = context.new_page()
        for address in everything:
            page.goto(address)
            page.evaluate(script)
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [
                (address[:30], fault["id"], [node["html"][:120] for node in fault["nodes"]])
                for fault in result["violations"]
                if fault["impact"] in {"serious", "critical"}
            ]
        # A form with faults of its own, and one whose input has some.
        page.goto("/en/subscribe/")
        page.locator("input[type=email]").fill("nobody")
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.evaluate(script)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [fault["id"] for fault in result["violations"] if fault["impact"] != "minor"]
    assert found == []


def test_axe_would_find_a_fault(chromium: Browser) -> None:
    script = axe_script()
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content("<html lang='en'><title>x</title><main><input></main></html>")
        page.evaluate(script)
        result = page.evaluate("axe.run(document)")
    assert "label" in {fault["id"] for fault in result["violations"]}

"""Readers' pages in a browser (B7, A13).

The form on another site, preferences on a phone and with the keyboard only, and axe on every page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation
from playwright.sync_api import Browser, Page, ViewportSize, expect

import subscribers.urls
from newsletter.editorial.models import Issue, Newsletter, Topic
from newsletter.web import machine_urls as web_machine_urls
from newsletter.web import urls as web_urls
from subscribers import intake, lifecycle
from subscribers.addresses import normalise
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.approving import approve_all
from tests.conftest import WriteArticle
from tests.delivery.conftest import prepare_mailing
from tests.e2e.reader_pages import NOT_PAGES, all_pages, axe_script, path, url_names

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.xdist_group("readers")]
READER = "ala@readers.example"
PHONE: ViewportSize = {"width": 375, "height": 700}


@pytest.fixture(scope="module", autouse=True)
def _allow_queries_beside_a_browser() -> Iterator[None]:
    # While Playwright runs, Django believes that this thread runs an event loop.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def published(
    live_server: Any, weekly: Newsletter, security: Topic, write_article: WriteArticle
) -> Newsletter:
    """The weekly with a published issue."""
    issue = Issue.objects.create(
        newsletter=weekly, starts_on=date(2017, 7, 24), ends_on=date(2017, 7, 30)
    )
    write_article(issue=issue, topic=security, en="Talks", be="Перамовы", ru="Переговоры")
    approve_all()
    return weekly


@pytest.fixture
def reader(published: Newsletter) -> Subscription:
    return lifecycle.add_confirmed(
        READER, newsletter=published, languages=["en", "be"], page_language="en", source="operator"
    )


@pytest.fixture
def phone(chromium: Browser, live_server: Any) -> Iterator[Page]:
    with chromium.new_context(
        base_url=live_server.url, viewport=PHONE, java_script_enabled=True
    ) as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


# --- On another site --------------------------------------------------------------------------
@pytest.fixture
def other_site() -> Iterator[Callable[[str], str]]:
    """A function that serves HTML from another site and returns its URL."""
    pages: list[bytes] = [b""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages[0])

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def put(html: str) -> str:
            pages[0] = f"<!DOCTYPE html><title>A blog</title>{html}".encode()
            return f"http://127.0.0.1:{server.server_address[1]}/"

        yield put
        server.shutdown()
        thread.join()


def test_b7_the_form_works_in_a_frame_on_another_site(
    phone: Page, published: Newsletter, live_server: Any, other_site: Callable[[str], str]
) -> None:
    """The form is submitted at once, so it is accepted only with the browser's proof of work."""
    frame_url = f"{live_server.url}/be/embed/weekly/"
    phone.goto(other_site(f'<iframe src="{frame_url}" width="350" height="500"></iframe>'))
    frame = phone.frame_locator("iframe")
    frame.locator("input[type=email]").fill(READER)
    frame.get_by_role("button").click()
    with translation.override("be"):
        heading = translation.gettext("Check your inbox")
    expect(frame.get_by_role("heading", level=1)).to_have_text(heading)
    assert phone.context.cookies() == []
    assert intake.drain(10) == 1
    assert Subscription.objects.get().languages == ("be", "ru")


def test_b7_a_one_line_form_works_in_another_sites_html(
    chromium: Browser, published: Newsletter, live_server: Any, other_site: Callable[[str], str]
) -> None:
    url = f"{live_server.url}/en/embed/weekly/"
    form = f'<form action="{url}" method="post"><input name="email"><button>Go</button></form>'
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(other_site(form))
        page.locator("input").fill(READER)
        page.get_by_role("button").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
        assert context.cookies() == []
    assert Intake.objects.count() == 1


def test_b7_other_pages_cannot_be_framed(
    phone: Page, reader: Subscription, live_server: Any, other_site: Callable[[str], str]
) -> None:
    preferences = live_server.url + path("preferences", LinkPurpose.PREFERENCES, reader.pk)
    phone.goto(other_site(f'<iframe src="{preferences}"></iframe>'))
    expect(phone.frame_locator("iframe").get_by_role("heading", name="Preferences")).to_have_count(
        0
    )


# --- Preferences ------------------------------------------------------------------------------
def test_preferences_fit_a_phone(phone: Page, reader: Subscription) -> None:
    phone.goto(path("preferences", LinkPurpose.PREFERENCES, reader.pk))
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    controls = phone.locator("main button:visible:not(.visually-relayed), main select")
    for box in [control.bounding_box() for control in controls.all()]:
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
    """Press Tab until the element with this text or label has focus."""
    for _press in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "[document.activeElement.textContent.trim(),"
            " ...[...document.activeElement.labels ?? []].map(each => each.textContent.trim())]"
        )
        if name in focused:
            return
    raise AssertionError(f"Tab doesn’t reach “{name}”")


def enter(page: Page) -> None:
    """Press the button that has the focus, and wait for the page it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_preferences_work_with_the_keyboard_only(phone: Page, reader: Subscription) -> None:
    phone.goto(path("preferences", LinkPurpose.PREFERENCES, reader.pk))
    tab_to(phone, "Move Belarusian up")
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
@pytest.fixture
def every_page(reader: Subscription, published: Newsletter) -> list[str]:
    """The path of every page that a reader can open."""
    intake.receive_sign_up(
        normalise("new@readers.example"),
        newsletter=published,
        languages=("en",),
        page_language="en",
    )
    intake.receive_change(normalise("other@readers.example"), subscription_id=reader.pk)
    assert intake.drain(10) == 2
    unsubscribed = lifecycle.add_confirmed(
        "unsubscribed@readers.example",
        newsletter=published,
        languages=["en"],
        page_language="en",
        source="operator",
    )
    lifecycle.unsubscribe(unsubscribed.pk)
    prepare_mailing(Issue.objects.get())
    pending = Subscription.objects.get(state="pending")
    return all_pages(reader, pending, TransactionalEmail.objects.get(kind="change"))


def test_every_page_is_checked(every_page: list[str]) -> None:
    patterns = [
        *subscribers.urls.urlpatterns,
        *subscribers.urls.machine_urlpatterns,
        *web_urls.urlpatterns,
        *web_machine_urls.urlpatterns,
    ]
    expected = {pattern.name for pattern in patterns if pattern.name}
    assert url_names(every_page) | NOT_PAGES == expected
    assert not url_names(every_page) & NOT_PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(
    chromium: Browser, live_server: Any, every_page: list[str], scheme: Any
) -> None:
    script = axe_script()
    found = []
    # bypass_csp: the site's policy refuses scripts from elsewhere, such as axe.
    with chromium.new_context(
        base_url=live_server.url, bypass_csp=True, color_scheme=scheme
    ) as context:
        page = context.new_page()
        for path in every_page:
            page.goto(path)
            page.evaluate(script)
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [
                (path[:30], violation["id"], [node["html"][:120] for node in violation["nodes"]])
                for violation in result["violations"]
                if violation["impact"] in {"serious", "critical"}
            ]
        # A form that shows errors.
        page.goto("/en/subscribe/")
        page.locator("input[type=email]").fill("nobody")
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.evaluate(script)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            violation["id"] for violation in result["violations"] if violation["impact"] != "minor"
        ]
    assert found == []


def test_axe_detects_a_violation(chromium: Browser) -> None:
    script = axe_script()
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content("<html lang='en'><title>x</title><main><input></main></html>")
        page.evaluate(script)
        result = page.evaluate("axe.run(document)")
    assert "label" in {violation["id"] for violation in result["violations"]}

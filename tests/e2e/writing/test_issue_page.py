"""The issue's page in a browser: order by keyboard, mouse and finger, two people at once (I1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Dialog, Page, ViewportSize, expect

from tests.e2e.content import article, document
from tests.e2e.reader_pages import axe_script
from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.server]
WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 800}
HEADLINES = ["Alpha", "Beta", "Gamma"]


@pytest.fixture
def issue_url(site: Site) -> str:
    """An issue with three articles and one topic that has none, made again for each test."""
    site.shell(
        "from newsletter.editorial.models import Newsletter\n"
        "Newsletter.objects.filter(slug='order').delete()"
    )
    articles = [article(en=name) for name in HEADLINES]
    site.import_document(document("order", {"2021-04-05": articles}))
    pk = site.shell(
        "from newsletter.editorial.models import Issue\n"
        "print(Issue.objects.get(newsletter__slug='order').pk)"
    )
    return f"/admin/editorial/issue/{pk}/change/"


@contextmanager
def editor_at(
    chromium: Browser,
    site: Site,
    url: str,
    *,
    language: str = "en",
    phone: bool = False,
    scripts: bool = True,
) -> Iterator[Page]:
    """Open the page as an editor, in a separate browser; nothing may be logged as an error."""
    with chromium.new_context(
        base_url=site.url,
        viewport=PHONE if phone else WIDE,
        has_touch=phone,
        java_script_enabled=scripts,
    ) as context:
        context.set_default_timeout(30_000)
        cookie = {"name": "django_language", "value": language, "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda message: wrong.append(message.text) if message.type == "error" else None,
        )
        page.goto(f"/admin/login/?next={url}")
        page.locator("[name=username]").fill("editor")
        page.locator("[name=password]").fill(site.password)
        page.locator("[name=password]").press("Enter")
        expect(page.locator("#issue-form")).to_be_visible()
        yield page
        # A conflict is an answer with the status 409, which Chromium logs.
        assert [text for text in wrong if "409" not in text] == []


def expect_order(page: Page, *names: str) -> None:
    """The list shows the articles in this order, and so it does after it was loaded again."""
    expect(page.locator("ol.order .title")).to_have_text(list(names))
    expect(page.locator("ol.order .pos")).to_have_text([str(n + 1) for n in range(len(names))])


def test_the_order_is_changed_by_keyboard_alone(
    chromium: Browser, site: Site, issue_url: str
) -> None:
    with editor_at(chromium, site, issue_url) as page:
        button = page.get_by_role("button", name="Move down: Alpha")
        button.focus()
        page.keyboard.press("Enter")
        live = page.locator("#order-message")
        expect(live).to_have_text("“Alpha” is now number 2 of 3. Saved.")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(live).to_have_text("“Alpha” is now number 3 of 3. Saved.")
        expect(page.get_by_role("button", name="Move up: Alpha")).to_be_focused()
        page.reload()
        expect_order(page, "Beta", "Gamma", "Alpha")


def test_the_order_is_changed_by_dragging(chromium: Browser, site: Site, issue_url: str) -> None:
    with editor_at(chromium, site, issue_url) as page:
        grips = page.locator("ol.order .grip")
        grips.first.scroll_into_view_if_needed()
        start, end = grips.nth(0).bounding_box(), grips.nth(2).bounding_box()
        assert start
        assert end
        page.mouse.move(start["x"] + 8, start["y"] + 20)
        page.mouse.down()
        page.mouse.move(end["x"] + 8, end["y"] + 40, steps=12)
        page.mouse.up()
        expect(page.locator("#order-message")).to_contain_text("“Alpha” is now number 3")
        page.mouse.move(start["x"] + 8, start["y"] + 20)
        page.mouse.down()
        page.mouse.move(end["x"] + 8, end["y"] + 40, steps=12)
        page.keyboard.press("Escape")
        page.mouse.up()
        expect_order(page, "Beta", "Gamma", "Alpha")
        page.reload()
        expect_order(page, "Beta", "Gamma", "Alpha")


def test_the_order_is_changed_with_a_finger(chromium: Browser, site: Site, issue_url: str) -> None:
    with editor_at(chromium, site, issue_url, phone=True) as page:
        grips = page.locator("ol.order .grip")
        grips.first.scroll_into_view_if_needed()
        page.evaluate("window.scrollBy(0, 200)")
        start, end = grips.nth(0).bounding_box(), grips.nth(1).bounding_box()
        assert start
        assert end
        finger = page.context.new_cdp_session(page)
        x, first, last = start["x"] + 8, start["y"] + 15, end["y"] + 80

        def touch(kind: str, *at: float) -> None:
            points = [{"x": x, "y": y} for y in at]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", first)
        for step in range(1, 13):
            touch("touchMove", first + (last - first) * step / 12)
        touch("touchEnd")
        expect(page.locator("#order-message")).to_contain_text("“Alpha” is now number 2")
        page.reload()
        expect_order(page, "Beta", "Alpha", "Gamma")


def test_without_scripts_the_buttons_save_everything(
    chromium: Browser, site: Site, issue_url: str
) -> None:
    with editor_at(chromium, site, issue_url, scripts=False) as page:
        page.get_by_label("English: subject").fill("Typed before")
        page.get_by_role("button", name="Move up: Gamma").click()
        expect(page.get_by_text("“Gamma” was moved to 2.").first).to_be_visible()
        expect_order(page, "Alpha", "Gamma", "Beta")
        expect(page.get_by_label("English: subject")).to_have_value("Typed before")


def test_an_older_page_reverts_no_order_and_no_subject(
    chromium: Browser, site: Site, issue_url: str
) -> None:
    with (
        editor_at(chromium, site, issue_url) as first,
        editor_at(chromium, site, issue_url) as second,
    ):
        second.get_by_role("button", name="Move up: Gamma").click()
        expect(second.locator("#order-message")).to_contain_text("Saved.")
        second.get_by_label("English: subject").fill("Hanna’s")
        second.get_by_label("Russian: subject").fill("Тема")
        second.get_by_role("button", name="Save", exact=True).click()
        expect(second.get_by_text("Saved.", exact=True)).to_be_visible()

        first.get_by_role("button", name="Move down: Alpha").click()
        expect(first.locator("#order-message")).to_contain_text("“Gamma” was moved to 2.")
        expect_order(first, "Alpha", "Gamma", "Beta")
        first.get_by_label("English: subject").fill("Vera’s")
        first.get_by_role("button", name="Save", exact=True).click()
        expect(first.get_by_text("Nothing was saved: someone else")).to_be_visible()
        expect(first.get_by_label("English: subject")).to_have_value("Vera’s")
        expect(first.get_by_label("Russian: subject")).to_have_value("Тема")
        versus = first.locator("#conflict")
        expect(versus).to_contain_text("Vera’s")
        expect(versus).to_contain_text("Hanna’s")
        versus.get_by_text("Hanna’s").click()
        versus.get_by_role("button", name="Save").click()
        expect(first.get_by_label("English: subject")).to_have_value("Hanna’s")
        expect(first.locator("#conflict")).to_have_count(0)


def test_leaving_with_unsaved_text_asks_and_a_lost_session_loses_nothing(
    chromium: Browser, site: Site, issue_url: str
) -> None:
    with editor_at(chromium, site, issue_url) as page:
        subject = page.get_by_label("English: subject")
        subject.fill("Typed")
        expect(page.locator(".savestate")).to_have_text("Unsaved changes")
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        page.get_by_role("link", name="Mailings").click(no_wait_after=True)
        page.wait_for_timeout(500)
        assert asked == ["beforeunload"]
        page.context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#signed-out")).to_be_visible()
        expect(subject).to_have_value("Typed")
        with page.expect_popup() as popup:
            page.locator("#signed-out a").click()
        popup.value.locator("[name=username]").fill("editor")
        popup.value.locator("[name=password]").fill(site.password)
        popup.value.locator("[name=password]").press("Enter")
        expect(popup.value.get_by_role("heading", name="This week")).to_be_visible()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        expect(subject).to_have_value("Typed")


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize("screen", ["wide", "phone"])
def test_the_pages_fit_and_axe_finds_nothing(
    chromium: Browser, site: Site, issue_url: str, language: str, screen: str
) -> None:
    phone = screen == "phone"
    script = axe_script()
    with editor_at(chromium, site, issue_url, language=language, phone=phone) as page:
        add = issue_url.replace("change", "add-article")
        lists = [f"/admin/editorial/{name}/?q=alpha" for name in ("article", "issue", "picture")]
        delete = issue_url.replace("change", "delete")
        for url in (issue_url, add, delete, "/admin/deleted/", *lists):
            page.goto(url)
            page.wait_for_load_state("networkidle")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= (PHONE if phone else WIDE)["width"], url
            page.evaluate(script)
            found = page.evaluate("axe.run()")["violations"]
            assert [(each["id"], [n["html"] for n in each["nodes"]]) for each in found] == []


def test_an_article_is_found_while_typing_and_added(
    chromium: Browser, site: Site, issue_url: str
) -> None:
    with editor_at(chromium, site, issue_url) as page:
        page.get_by_role("button", name="Take out of the issue: Beta").click()
        expect_order(page, "Alpha", "Gamma")
        page.get_by_role("button", name="Add an existing article").click()
        field = page.get_by_label("Words of the headline")
        expect(field).to_be_focused()
        page.keyboard.type("SECURITY beta")
        expect(page.get_by_text("1 article found")).to_be_visible()
        page.get_by_role("button", name="Add: Beta").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Added: “Beta”.")).to_be_visible()
        page.get_by_role("link", name="Back to issue").click()
        expect_order(page, "Alpha", "Gamma", "Beta")

"""A new reader's journey with JavaScript switched off (B2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Locator, Page, expect

from tests.e2e.content import article, document
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
READER = "newcomer@readers.example"
WEEKS = {"2021-03-01": "Першы", "2021-03-08": "Другі", "2021-03-15": "Трэці"}


def be(words: str) -> str:
    """Return the Belarusian translation of an interface text."""
    with translation.override("be"):
        return gettext(words)


def up_to(monday: str) -> dict[str, Any]:
    """Return the site's first newsletter with its issues up to this week."""
    weeks = {
        day: [article(en=f"{day} in English", be=f"{word} тыдзень")]
        for day, word in WEEKS.items()
        if day <= monday
    }
    return document("weekly", weeks, en="Weekly", be="Тыднёвік", ru="Еженедельник")


def open_email(page: Page, subject: str) -> None:
    """Wait for an email to the reader with this in its subject, and open the newest one."""
    link = page.locator(".messages .subject a", has_text=subject).first

    def is_there() -> bool:
        page.goto(f"/inbox/?to={READER}")
        return link.count() > 0

    eventually(is_there, seconds=40, what=f"an email: {subject}", every=0.5)
    link.click()


def title(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def follow(page: Page, path: str) -> Page:
    """Click the first link in the open email whose address contains `path`. It opens another
    tab."""
    link = page.frame_locator("iframe.mail").locator(f'a[href*="{path}"]').first
    if link.get_attribute("target") != "_blank":
        link.click()
        page.wait_for_url(re.compile(path))
        return page
    with page.context.expect_page() as opened:
        link.click()
    return opened.value


def test_a_new_reader_subscribes_reads_and_unsubscribes(
    page_without_scripts: Page, site: Site
) -> None:
    page = page_without_scripts
    site.import_document(up_to("2021-03-01"))

    # A friend has sent the link. (The home page shows the newest issue of any newsletter.)
    page.goto("/be/issues/weekly/2021-03-01/")
    box = page.locator("form.box").first
    box.get_by_label("BE/RU").check()
    box.locator("input[type=email]").fill(READER)
    # Without JavaScript, a form that comes back at once is taken for a bot's (B4).
    page.wait_for_timeout(2000)
    box.get_by_role("button").click()
    expect(page).to_have_url(f"{site.url}/be/subscribe/sent/")

    open_email(page, "Тыднёвік")
    page = follow(page, "/be/confirm/")
    page.get_by_role("button", name=be("Confirm subscription")).click()
    expect(title(page)).to_have_text(be("You have been successfully subscribed"))
    expect(page.locator("dl.facts")).to_contain_text("беларуская, русский", ignore_case=True)
    expect(page.get_by_role("link", name="Першы тыдзень")).to_be_visible()

    page.get_by_role("button", name=be("Email it to me now")).click()
    expect(page.get_by_text(be("It’s on its way to your inbox."))).to_be_visible()
    open_email(page, "Першы тыдзень")

    site.import_document(up_to("2021-03-08"))
    site.run("send_issue", "weekly", "2021-03-08")
    open_email(page, "Другі тыдзень")
    digest = page.frame_locator("iframe.mail")
    expect(digest.get_by_text("Другі тыдзень — lead.").last).to_be_visible()
    page = follow(page, "/u/")
    page.get_by_role("button", name=be("Unsubscribe"), exact=True).click()
    expect(title(page)).to_have_text(be("You’ve been unsubscribed"))

    site.import_document(up_to("2021-03-15"))
    output = site.run("send_issue", "weekly", "2021-03-15", "--wait")
    assert "Every reader is accounted for." in output
    assert not site.emails(READER, "Трэці тыдзень")
    # The mailing doesn't send the first issue again to a reader who got it from the welcome page.
    site.run("send_issue", "weekly", "2021-03-01", "--wait")
    assert len(site.emails(READER, "Першы тыдзень")) == 1


def test_the_belarusian_catalog_translates_the_pages() -> None:
    """Without a translation, the test above would pass with English pages."""
    assert "падпісал" in be("You have been successfully subscribed").lower()

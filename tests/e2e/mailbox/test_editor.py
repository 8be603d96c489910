"""An editor writes in two languages, approves, previews and sends, and the issue arrives."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.content import article, document
from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.server]


def write(page: Page, language: str, headline: str) -> None:
    """Open the tab of a language, write its text, mark it as ready, and save."""
    page.get_by_label("Languages of this article").get_by_role("link", name=language).click()
    page.get_by_label("Headline", exact=True).fill(headline)
    page.get_by_label("Lead", exact=True).fill(f"{headline} — lead.")
    page.locator("[contenteditable=true]").first.fill(f"{headline} — text.")
    page.get_by_text("Ready", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The text has been saved")).to_be_visible()


def test_an_editor_writes_approves_previews_and_sends(desk_page: Page, site: Site) -> None:
    page = desk_page
    site.import_document(document("desk", {}))
    site.add_reader("en@desk.example", "desk", "en")
    site.add_reader("be@desk.example", "desk", "be,ru")

    page.goto("/admin/")
    page.get_by_label("User name").fill("editor")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Continue").click()

    page.goto("/admin/editorial/issue/add/")
    page.get_by_label("Newsletter").select_option(label="Desk")
    page.get_by_label("From:", exact=True).fill("2021-05-03")
    page.get_by_label("To:", exact=True).fill("2021-05-09")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("button", name="Write an article for this issue").click()
    page.get_by_label("Headline", exact=True).fill("Bread is dearer")
    page.get_by_role("button", name="Add article").click()
    write(page, "English", "Bread is dearer")
    write(page, "Беларуская", "Хлеб даражэе")

    page.goto("/admin/editorial/issue/")
    page.get_by_role("row", name="Desk").get_by_role("link").first.click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("The issue has been approved.")).to_be_visible()
    page.get_by_role("button", name="Preview").click()
    preview = page.frame_locator("iframe.wide")
    expect(preview.get_by_text("Bread is dearer — lead.").last).to_be_visible()
    page.get_by_role("link", name=re.compile("беларуская.*lead", re.S | re.I)).click()
    expect(preview.get_by_text("Хлеб даражэе — lead.").last).to_be_visible()

    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Send issue …").click()
    page.get_by_role("button", name="Check before sending").click()
    page.get_by_role("button", name="Send to 2 readers now").click()
    sent = page.locator("dl.counts div", has_text="sent").locator("dd")
    expect(sent).to_have_text("2", timeout=40_000)

    assert site.email("en@desk.example", "Bread is dearer")["Content-Language"] == "en"
    assert site.email("be@desk.example", "Хлеб даражэе")["Content-Language"] == "be"
    (finding,) = site.audit("Desk")
    assert (finding["sent"], finding["waiting"], finding["faults"]) == (2, 0, [])


def test_the_dashboard_fits_a_phone(desk_page: Page, site: Site) -> None:
    """With a mailing on it."""
    site.import_document(document("phone", {"2021-03-01": [article(en="On a phone")]}))
    site.add_reader("phone@readers.example", "phone", "en")
    site.run("send_issue", "phone", "2021-03-01", "--wait")
    page = desk_page
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto("/admin/")
    page.get_by_label("User name").fill("editor")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Mailings")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375

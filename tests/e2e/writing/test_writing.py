"""Two people write at once, in two browsers: nobody's words are lost, and each is told (I1)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.site import Site
from tests.e2e.writing.writers import (
    Open,
    is_kept,
    new_article,
    said,
    save,
    stored,
    write,
)

pytestmark = [pytest.mark.e2e, pytest.mark.server]


@pytest.mark.parametrize(("first", "second"), [("hanna", "vera"), ("vera", "hanna")])
def test_the_second_to_save_the_same_field_chooses_from_both(
    newsroom: Site, opened: Open, first: str, second: str
) -> None:
    article = new_article(newsroom, state="ready")
    pages = {name: opened(name, article) for name in (first, second)}
    write(pages[first], "one 2 three")
    write(pages[second], "one two III")
    save(pages[first])
    expect(pages[first].get_by_text("The text has been saved")).to_be_visible()
    save(pages[second])
    page = pages[second]
    expect(page.get_by_role("heading", level=1)).to_contain_text(first.title())
    expect(page.locator(".is-theirs ins")).to_have_text("2")
    expect(page.locator(".is-mine ins")).to_have_text("III")
    # Both changes fit together, so that is what is offered.
    expect(page.get_by_label("Edit both")).to_be_checked()
    page.get_by_role("button", name="Save the combined text").click()
    expect(page.get_by_text("The combined text has been saved.")).to_be_visible()
    assert stored(newsroom, article)[0]["be"][0] == "one 2 III"
    # The first one still has the page open, and is told.
    pages[first].evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(pages[first].get_by_text(f"{second.title()} saved a newer text.")).to_be_visible()


def test_two_people_write_in_two_languages(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom, state="ready")
    hanna, vera = opened("hanna", article, "be"), opened("vera", article, "en")
    write(hanna, "Лід Ганны")
    write(vera, "Vera’s lead")
    for page in (hanna, vera):
        save(page)
        expect(page.get_by_text("The text has been saved")).to_be_visible()
    texts, _words = stored(newsroom, article)
    assert (texts["be"][0], texts["en"][0]) == ("Лід Ганны", "Vera’s lead")


def test_two_people_start_a_language_at_once(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom)
    pages = {name: opened(name, article, "ru") for name in ("hanna", "vera")}
    # Without autosave in between.
    for name, page in pages.items():
        page.route("**/autosave/", lambda route: route.abort())
        write(page, f"Текст: {name}")
    save(pages["hanna"])
    expect(pages["hanna"].get_by_text("The text has been saved")).to_be_visible()
    save(pages["vera"])
    page = pages["vera"]
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hanna saved a newer text")
    page.get_by_role("button", name="Use my text").click()
    expect(page.get_by_text("The combined text has been saved.")).to_be_visible()
    assert stored(newsroom, article)[0]["ru"][0] == "Текст: vera"
    assert is_kept(newsroom, article, "Текст: hanna")


def test_an_autosave_meets_a_save(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom)
    hanna, vera = opened("hanna", article), opened("vera", article)
    write(hanna, "Ганна")
    save(hanna)
    expect(hanna.get_by_text("The text has been saved")).to_be_visible()
    write(vera, "Вера")
    said(vera, "Saving is paused")
    expect(vera.get_by_text("Hanna saved a newer text")).to_be_visible()
    expect(vera.get_by_label("Lead", exact=True)).to_have_value("Вера")
    vera.locator("[data-newer]").get_by_role("button", name="Compare both texts").click()
    expect(vera.locator(".is-mine")).to_contain_text("Вера")
    expect(vera.locator(".is-theirs.text")).to_contain_text("Ганна")
    assert is_kept(newsroom, article, "Вера")
    assert stored(newsroom, article)[0]["be"][0] == "Ганна"
    # Vera leaves the page without choosing: the article's page leads back.
    vera.goto(f"/admin/editorial/article/{article}/change/?language=be")
    vera.get_by_role("link", name="Compare both texts").click()
    expect(vera.locator(".is-mine")).to_contain_text("Вера")


def test_a_draft_is_saved_as_it_is_typed_the_rich_text_too(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom)
    page = opened("hanna", article)
    page.locator("[contenteditable=true]").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Third.")
    said(page, "Saved at")
    assert stored(newsroom, article)[0]["be"][1] == "<p>First.</p><p>Second. Third.</p>"
    page.get_by_role("link", name="History", exact=True).click()
    page.get_by_role("link", name="You · autosaved").first.click()
    expect(page.locator(".versus ins")).to_have_text(" Third.")


def test_a_ready_text_is_saved_on_request_only(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom, state="ready")
    page = opened("hanna", article)
    expect(page.get_by_text("it is saved only when you press Save")).to_be_visible()
    write(page, "Not for readers yet")
    said(page, "Not saved yet")
    page.wait_for_timeout(4000)
    said(page, "Not saved yet")
    assert stored(newsroom, article)[0]["be"][0] == "one two three"


def test_facts_that_are_not_saved_are_not_dropped_by_saving_the_text(
    newsroom: Site, opened: Open
) -> None:
    article = new_article(newsroom, state="ready")
    page = opened("hanna", article)
    page.get_by_label("Dateline").select_option("moment")
    write(page, "New lead")
    save(page)
    expect(page.get_by_text("You have changed the facts, too.")).to_be_visible()
    assert stored(newsroom, article)[0]["be"][0] == "one two three"
    # Nor is the text by saving the facts.
    page.get_by_role("button", name="Save facts").click()
    expect(page.get_by_text("You have changed the text, too.")).to_be_visible()
    page.get_by_label("Dateline").select_option("auto")
    save(page)
    expect(page.get_by_text("The text has been saved")).to_be_visible()


def test_each_sees_that_the_other_is_here(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom)
    opened("vera", article, "en")
    hanna = opened("hanna", article, "be")
    expect(hanna.locator("[data-presence]")).to_contain_text("Vera is here (English)")


def test_the_headline_is_one_stop_from_the_top(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom)
    page = opened("hanna", article)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Headline", exact=True)).to_be_focused()

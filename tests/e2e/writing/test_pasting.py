"""Sixty pasted fragments keep their words in the editor, and so on the way to the database.

tests/rich_text/test_fragments.py follows them from there to the site, the email and the feed.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from newsletter.editorial.cleaning import clean
from tests.e2e.content import document
from tests.e2e.site import Site
from tests.e2e.writing.test_rich_text import PASTE, READY, sign_in
from tests.rich_text.fragments import FRAGMENTS
from tests.rich_text.visible import plain, words_of

pytestmark = [pytest.mark.e2e, pytest.mark.server]

EMPTY = """(element) => {
  const editor = window.editors.find((each) => each.view.dom === element);
  editor.chain().clearContent(true).focus().run();
}"""
HTML = """(element) =>
  window.editors.find((each) => each.view.dom === element).getHTML()"""


def test_each_fragment_keeps_its_words_in_the_editor(desk_page: Page, site: Site) -> None:
    page = desk_page
    page.add_init_script(READY)
    site.import_document(document("fragments", {}))
    sign_in(page, site, button="Continue", labels=("User name", "Password"))
    page.goto("/admin/editorial/article/add/")
    page.get_by_label("Newsletter", exact=False).first.select_option(label="Fragments")
    page.get_by_label("Headline", exact=True).fill("Fragments")
    page.get_by_role("button", name="Add article").click()
    editor = page.get_by_role("main").locator("[contenteditable=true]").first
    editor.click()

    lost = {}
    for name, fragment in FRAGMENTS.items():
        words = plain(fragment.words)
        editor.evaluate(EMPTY)
        editor.evaluate(PASTE, fragment.html)
        expect(editor, name).to_contain_text(words[-1])
        html = editor.evaluate(HTML)
        cleaned = clean(html).html
        missing = [part for part in fragment.keeps if part not in cleaned]
        if words_of(cleaned) != words or missing:
            lost[name] = (html, words, missing)
    assert lost == {}

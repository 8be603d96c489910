"""An editor pastes from Word and Google Docs into the real editor, and saves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.content import document
from tests.e2e.site import Site
from tests.rich_text.fragments import FRAGMENTS
from tests.rich_text.visible import plain, words_of

pytestmark = [pytest.mark.e2e, pytest.mark.server]

PASTE = """(element, html) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/html", html);
  element.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }),
  );
}"""
LAST_LINE = """(element) => {
  const editor = window.editors.find((each) => each.view.dom === element);
  const { doc } = editor.state;
  const notes = doc.lastChild.type.name === "notes" ? doc.lastChild.nodeSize : 0;
  const end = doc.content.size - notes;
  const chain = editor.chain().insertContentAt(end, { type: "paragraph" });
  chain.setTextSelection(end + 1).focus().run();
}"""
READY = """window.editors = [];
addEventListener("prose-editor:ready", ({ detail }) => window.editors.push(detail.editor));"""
PASTED = (
    "Word: nested lists",
    "Word: two footnotes, one with emphasis",
    "Docs: footnotes",
    "web: a table with a caption, a head, a body and a foot",
    "web: a quotation with its source",
    "web: links with trackers, redirects and to the page itself",
)


def sign_in(page: Page, site: Site, *, button: str, labels: tuple[str, str]) -> None:
    page.goto("/admin/")
    page.get_by_label(labels[0]).fill("editor")
    page.get_by_label(labels[1]).fill(site.password)
    page.get_by_role("button", name=button).click()


def paste(editor: Locator, html: str, expected: str) -> None:
    """Paste on a new last line, before the footnotes, and wait until it has arrived."""
    editor.evaluate(LAST_LINE)
    editor.evaluate(PASTE, html)
    expect(editor).to_contain_text(expected)


def test_what_is_pasted_is_what_is_saved(desk_page: Page, site: Site) -> None:
    """Acceptance: footnotes, lists and tables survive paste, save and a second save."""
    page = desk_page
    problems: list[str] = []
    page.add_init_script(READY)
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    site.import_document(document("pasted", {}))
    sign_in(page, site, button="Continue", labels=("User name", "Password"))
    page.goto("/admin/editorial/article/add/")
    page.get_by_label("Newsletter", exact=False).first.select_option(label="Pasted")
    page.get_by_label("Headline", exact=True).fill("Pasted from everywhere")
    page.get_by_role("button", name="Add article").click()
    panel = page.get_by_role("main")
    editor = panel.locator("[contenteditable=true]").first
    expect(editor).not_to_have_attribute("spellcheck", "false")
    editor.click()
    for name in PASTED:
        fragment = FRAGMENTS[name]
        paste(editor, fragment.html, plain(fragment.words)[-1])
    expect(panel.locator(".prose-status")).to_contain_text("A link was removed")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".success")).to_be_visible()

    saved = panel.locator("textarea[name$=body]").input_value()
    words = words_of(saved)
    for name in PASTED:
        for word in set(plain(FRAGMENTS[name].words)):
            assert word in words, name
    assert saved.count('<li id="note-') == 4
    assert saved.index("<ol><li>рака") < saved.index("<caption>")
    assert "utm_source" not in saved

    editor = panel.locator("[contenteditable=true]").first
    editor.click()
    page.keyboard.type("x")
    page.keyboard.press("Backspace")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".success")).to_be_visible()
    assert panel.locator("textarea[name$=body]").input_value() == saved
    assert problems == []


def test_the_editor_speaks_the_desks_language(chromium: Browser, site: Site) -> None:
    with chromium.new_context(base_url=site.url, locale="be-BY") as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, site, button="Працягнуць", labels=("Імя карыстальніка", "Пароль"))
        page.goto("/admin/editorial/article/add/")
        page.locator("#id_headline").fill("Загаловак")
        page.get_by_role("button", name="Дадаць артыкул").click()
        page.get_by_role("link", name="Беларуская").click()
        panel = page.get_by_role("main")
        for label in ("тоўсты шрыфт", "нумараваны спіс", "Уставіць зноску"):
            expect(panel.get_by_role("button", name=label, exact=True)).to_be_visible()
        titles = panel.locator(".prose-menubar [title]").evaluate_all(
            "buttons => buttons.map((button) => button.title)"
        )
        assert [title for title in titles if re.search("[a-z]", title.replace("HTML", ""))] == []
        panel.get_by_role("button", name="Уставіць табліцу").click()
        dialog = panel.get_by_role("dialog")
        expect(dialog.get_by_label("Слупкі")).to_have_value("3")
        dialog.get_by_role("button", name="Скасаваць").click()

        panel.get_by_role("button", name="здымак у тэксце", exact=True).click()
        dialog = panel.get_by_role("dialog", name="Уставіць выяву")
        opener = dialog.get_by_role("button", name="Выбраць выяву …")
        page.route("**/picture/dialog/**", lambda route: route.abort())
        opener.click()
        expect(dialog.get_by_role("alert")).to_contain_text("Не ўдалося загрузіць выявы.")
        page.unroute("**/picture/dialog/**")
        with page.expect_request("**/picture/picker/**") as asked:
            opener.click()
        assert "language=be" in asked.value.url
        picker = page.get_by_role("dialog", name="Выбар выявы")
        picker.get_by_role("button", name="Закрыць").click()
        expect(dialog.get_by_role("alert")).to_have_count(0)

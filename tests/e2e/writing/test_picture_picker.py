"""The picture picker in a browser: by keyboard and mouse, on a desk and on a phone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.content import document
from tests.e2e.site import Site
from tests.pictures import photograph

pytestmark = [pytest.mark.e2e, pytest.mark.server]

SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


def _sign_in(page: Page, site: Site) -> None:
    page.goto("/admin/")
    page.get_by_label("User name").fill("editor")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="Pictures").first).to_be_visible()


def _upload(page: Page, path: Path, credit: str) -> None:
    page.goto("/admin/editorial/picture/add/")
    page.get_by_label("File:").set_input_files(path)
    page.get_by_label("Credit:").fill(credit)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("li.success")).to_be_visible()


def _keep(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=False)


def test_a_picture_is_chosen_by_keyboard_and_on_a_phone(
    desk_page: Page, site: Site, tmp_path: Path
) -> None:
    page, problems = desk_page, []
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    site.import_document(document("pictures", {}))
    for number, name in enumerate(("River", "Ferry", "Мост")):
        (tmp_path / f"{name}.jpg").write_bytes(photograph(1200, 800, seed=number).read())
    _sign_in(page, site)
    for name, credit in (("River", "A. Pen"), ("Ferry", ""), ("Мост", "Сям’я Пяро")):
        _upload(page, tmp_path / f"{name}.jpg", credit)
    page.goto("/admin/editorial/picture/")
    for name in ("River", "Ferry", "Мост"):
        expect(page.get_by_role("row", name=name)).to_contain_text("not used in any article")
    _keep(page, "picture-list")

    page.goto("/admin/editorial/article/add/")
    select = page.locator("#id_picture")
    expect(select).to_be_hidden()
    opener = page.get_by_role("button", name="Choose a picture …")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Choose a picture")
    expect(dialog.get_by_role("status")).to_have_text(re.compile(r"^\d+ pictures$"))
    _keep(page, "picker-desk")
    page.keyboard.type("сям'я")
    expect(dialog.get_by_role("status")).to_have_text("1 picture")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    expect(page.locator(".picture-chosen")).to_contain_text("Мост")
    expect(page.locator(".picture-chosen")).to_contain_text("Сям’я Пяро")
    assert select.evaluate("select => select.selectedOptions[0].textContent").startswith("Мост")

    page.set_viewport_size({"width": 390, "height": 844})
    opener.click()
    expect(dialog.get_by_role("button", name="River")).to_be_visible()
    _keep(page, "picker-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dialog.get_by_role("button", name="River").click()
    expect(page.locator(".picture-chosen")).to_contain_text("A. Pen")
    page.get_by_role("button", name="Leave it out").click()
    expect(page.locator(".picture-chosen")).to_be_empty()
    assert select.input_value() == ""
    assert problems == []


def test_a_file_that_is_too_large_is_reported_before_it_is_sent(
    desk_page: Page, site: Site, tmp_path: Path
) -> None:
    page = desk_page
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(22_000_000)
    _sign_in(page, site)
    page.goto("/admin/editorial/picture/add/")
    field = page.get_by_label("File:")
    field.set_input_files(large)
    message = field.evaluate("input => input.validationMessage")
    assert (
        message == "The file has 22 MB. The limit is 20 MB. Make it smaller, then choose it again."
    )
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.method))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(field).to_be_focused()
    assert "POST" not in posted


def test_an_uploaded_picture_is_chosen_in_the_article(
    desk_page: Page, site: Site, tmp_path: Path
) -> None:
    """The page for uploading opens beside the article, whose texts stay as they are."""
    page = desk_page
    site.import_document(document("uploading", {}))
    (tmp_path / "Bridge.jpg").write_bytes(photograph(600, 400, seed=9).read())
    _sign_in(page, site)
    page.goto("/admin/editorial/article/add/")
    with page.expect_popup() as opened:
        page.locator("#add_id_picture").click()
    popup = opened.value
    popup.get_by_label("File:").set_input_files(tmp_path / "Bridge.jpg")
    popup.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".picture-chosen")).to_contain_text("Bridge")


def test_a_picture_is_put_into_a_text_by_keyboard_and_exchanged(
    desk_page: Page, site: Site, tmp_path: Path
) -> None:
    """The dialog of the editor offers the picker, which fills address, credit and size."""
    page, problems = desk_page, []
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    site.import_document(document("figures", {}))
    _sign_in(page, site)
    for number, (name, credit) in enumerate((("Harbour", "A. Pen"), ("Lighthouse", "B. Ink"))):
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(photograph(1200, 800, seed=20 + number).read())
        _upload(page, path, credit)
    page.goto("/admin/editorial/article/add/")
    page.get_by_label("Newsletter", exact=False).first.select_option(label="Figures")
    page.get_by_label("Headline", exact=True).fill("A picture inside")
    page.get_by_role("button", name="Add article").click()
    panel = page.get_by_role("main")
    editor = panel.locator("[contenteditable=true]").first
    editor.click()
    page.keyboard.type("Before")
    panel.get_by_role("button", name="figure", exact=True).click()
    dialog = page.get_by_role("dialog", name="Insert a picture")
    dialog.get_by_role("button", name="Choose a picture …").focus()
    page.keyboard.press("Enter")
    picker = page.get_by_role("dialog", name="Choose a picture", exact=True)
    expect(picker.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("harbour")
    expect(picker.get_by_role("status")).to_have_text("1 picture")
    expect(picker.get_by_role("button", name="Harbour")).to_contain_text("not used in any article")
    _keep(page, "figure-picker")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(picker).to_be_hidden()
    expect(dialog.get_by_label("Alt text")).to_be_focused()
    expect(dialog.get_by_label("Credit")).to_have_value("Photo: A. Pen")
    expect(dialog.get_by_label("Address of the picture")).to_have_value(
        re.compile(r"^/media/pictures/[0-9a-f]{32}\.jpg$")
    )
    page.keyboard.type("Ships at dusk")
    dialog.get_by_label("Caption").fill("In the evening")
    _keep(page, "figure-dialog")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(editor.get_by_role("img", name="Ships at dusk")).to_be_visible()
    body = panel.locator("textarea[name$=body]")
    saved = _save(page, body)
    harbour = re.search(r'src="(/media/pictures/\w+\.jpg)"', saved)
    assert harbour
    assert 'alt="Ships at dusk" width="1200" height="800"' in saved
    assert "<figcaption>In the evening <small>Photo: A. Pen</small></figcaption>" in saved

    editor.get_by_role("img", name="Ships at dusk").click()
    panel.get_by_role("button", name="figure", exact=True).click()
    dialog = page.get_by_role("dialog", name="Change the picture")
    expect(dialog.get_by_label("Credit")).to_have_value("Photo: A. Pen")
    dialog.get_by_role("button", name="Choose a picture …").click()
    expect(picker.get_by_role("button", name="Harbour")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(picker).to_be_hidden()
    expect(dialog.get_by_role("button", name="Choose a picture …")).to_be_focused()
    expect(dialog.get_by_label("Alt text")).to_have_value("Ships at dusk")
    page.keyboard.press("Enter")
    picker.get_by_role("button", name="Lighthouse").click()
    expect(dialog.get_by_label("Alt text")).to_have_value("")
    page.keyboard.type("A lighthouse")
    dialog.get_by_role("button", name="Update").click()
    saved = _save(page, body)
    assert saved.count("<figure>") == 1
    assert 'alt="A lighthouse" width="1200" height="800"' in saved
    assert "<figcaption>In the evening <small>Photo: B. Ink</small></figcaption>" in saved
    assert harbour[1] not in saved
    assert problems == []


def _save(page: Page, body: Locator) -> str:
    """Save the text, and return what was stored."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".success")).to_be_visible()
    return body.input_value()

"""A session that ended, a browser that was killed, a page that was left: the text is there (I1)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, expect

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.site import Site, eventually
from tests.e2e.writing.writers import (
    PASSWORD,
    Open,
    new_article,
    said,
    save,
    sign_in,
    stored,
    write,
)

pytestmark = [pytest.mark.e2e, pytest.mark.server]


@pytest.mark.parametrize("what", ["session", "cookie"])
def test_a_password_prompt_over_the_page_when_signed_out(
    newsroom: Site, opened: Open, what: str
) -> None:
    article = new_article(newsroom)
    page = opened("hanna", article)
    expect(page.locator("[contenteditable=true]")).to_be_visible()
    if what == "cookie":
        page.context.clear_cookies()
    else:
        newsroom.shell(
            "from django.contrib.sessions.models import Session; Session.objects.all().delete()"
        )
    write(page, "Typed while signed out")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.get_by_label("Password").fill("wrong")
    page.get_by_label("Password").press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(dialog).not_to_be_visible()
    said(page, "Saved at")
    assert stored(newsroom, article)[0]["be"][0] == "Typed while signed out"
    write(page, "And the button works, too")
    save(page)
    expect(
        page.get_by_text("The text has been saved").or_(page.get_by_text("nothing to save"))
    ).to_be_visible()
    assert stored(newsroom, article)[0]["be"][0] == "And the button works, too"


def test_without_scripts_a_text_posted_too_late_is_kept(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom)
    page = opened("hanna", article, scripts=False)
    write(page, "Posted without a session")
    page.context.clear_cookies()
    save(page)
    expect(page.get_by_text("nothing has been saved yet")).to_be_visible()
    for password in ("wrong", PASSWORD):
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in and save").click()
    expect(page.get_by_text("The text has been saved")).to_be_visible()
    assert stored(newsroom, article)[0]["be"][0] == "Posted without a session"


def test_an_account_that_is_closed_meanwhile_keeps_its_text_on_the_page(
    newsroom: Site, opened: Open
) -> None:
    article = new_article(newsroom)
    page = opened("zoya", article)
    account = "from newsletter.editorial.models import User; User.objects.filter(username='zoya')"
    newsroom.shell(f"{account}.update(is_active=False)")
    try:
        write(page, "Mine all the same")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("has been closed")
        page.get_by_role("button", name="Later").click()
        expect(page.get_by_label("Lead", exact=True)).to_have_value("Mine all the same")
        said(page, "Saving is paused")
    finally:
        newsroom.shell(f"{account}.update(is_active=True)")


def test_a_killed_browser_offers_the_text_again(
    newsroom: Site, chromium: Browser, tmp_path: Path
) -> None:
    article = new_article(newsroom, state="ready")
    url = f"/admin/editorial/article/{article}/change/?language=be"

    def launch() -> BrowserContext:
        return chromium.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=list(QUIET), base_url=newsroom.url
        )

    page = sign_in(launch(), "hanna")
    page.goto(url)
    page.locator("[contenteditable=true]").first.fill("Body before the crash.")
    write(page, "Typed before the crash")
    said(page, "Not saved yet")
    page.wait_for_timeout(8000)  # Chromium writes its storage to disk every few seconds
    kill_browser(tmp_path / "profile")
    context = launch()
    page = sign_in(context, "hanna")
    page.goto(url)
    expect(page.get_by_text("that was not saved.")).to_be_visible()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Lead", exact=True)).to_have_value("Typed before the crash")
    save(page)
    expect(page.get_by_text("The text has been saved")).to_be_visible()
    page.reload()
    expect(page.get_by_text("that was not saved.")).not_to_be_visible()
    context.close()
    assert stored(newsroom, article)[0]["be"] == [
        "Typed before the crash",
        "<p>Body before the crash.</p>",
    ]


def kill_browser(profile: Path) -> None:
    """Kill the processes of the browser with this profile, as the machine's OOM killer does."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"--user-data-dir={profile}".encode() in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_leaving_asks_and_the_back_button_finds_the_text(newsroom: Site, opened: Open) -> None:
    article = new_article(newsroom, state="ready")
    page = opened("hanna", article)
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.get_by_label("Lead", exact=True).click()
    page.keyboard.type("Left behind. ")
    page.get_by_role("link", name="History", exact=True).click()
    page.wait_for_url("**/history/")
    assert asked == ["beforeunload"]
    page.go_back()
    restore = page.get_by_role("button", name="Restore it")
    field = page.get_by_label("Lead", exact=True)
    eventually(
        lambda: restore.is_visible() or "Left behind." in field.input_value(),
        seconds=10,
        what="the text is back",
    )
    if restore.is_visible():
        restore.click()
    assert "Left behind." in field.input_value()

"""Two people write at once, in two browsers: nobody's words are lost, and each is told (I1)."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
PASSWORD = "sign-me-in"
SETUP = f"""
from django.contrib.auth.models import Group
from newsletter.editorial.models import Newsletter, User
for name, group in (("hanna", "Editors"), ("vera", "Editors"), ("zoya", "Translators")):
    user = User.objects.create_user(name, password={PASSWORD!r}, is_staff=True,
                                    first_name=name.title())
    user.groups.add(Group.objects.get(name=group))
Newsletter.objects.create(slug="writing", languages=["en", "be", "ru"],
                          sender_address="desk@news.example.org")
"""
ARTICLE = """
from newsletter.editorial.models import Article, ArticleTranslation, Newsletter
article = Article.objects.create(newsletter=Newsletter.objects.get(slug="writing"))
for language, headline in (("en", "Low water"), ("be", "Нізкая вада")):
    ArticleTranslation.objects.create(article=article, language=language, headline=headline,
        lead="one two three", body="<p>First.</p><p>Second.</p>", state={state!r})
print(article.pk)
"""
STORED = """
import json
from newsletter.editorial.models import Article
article = Article.objects.get(pk={article})
texts = {{text.language: [text.lead, text.body] for text in article.translations.all()}}
words = [[row.kind, json.dumps(row.content, ensure_ascii=False)] for row in article.revisions.all()]
print(json.dumps([texts, words]))
"""


@pytest.fixture(scope="module")
def newsroom(site: Site) -> Site:
    site.shell(SETUP)
    return site


Open = Callable[..., Page]


@pytest.fixture
def opened(newsroom: Site, chromium: Browser) -> Iterator[Open]:
    """Return a function that signs somebody in, in a separate browser, and opens a text."""
    with ExitStack() as stack:

        def open_text(
            name: str, article: int, language: str = "be", *, scripts: bool = True
        ) -> Page:
            context = stack.enter_context(
                chromium.new_context(
                    base_url=newsroom.url,
                    viewport={"width": 1280, "height": 1000},
                    java_script_enabled=scripts,
                )
            )
            context.set_default_timeout(20_000)
            page = sign_in(context, name)
            page.goto(f"/admin/editorial/article/{article}/change/?language={language}")
            return page

        yield open_text


def sign_in(context: BrowserContext, name: str) -> Page:
    page = context.new_page()
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/admin/")
    return page


def new_article(site: Site, *, state: str = "draft") -> int:
    return int(site.shell(ARTICLE.format(state=state)))


def stored(site: Site, article: int) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Return (lead and body by language, kind and content of each revision)."""
    texts, words = json.loads(site.shell(STORED.format(article=article)))
    return texts, [(kind, content) for kind, content in words]


def is_kept(site: Site, article: int, words: str) -> bool:
    return any(words in content for _kind, content in stored(site, article)[1])


def write(page: Page, text: str) -> None:
    page.get_by_label("Lead", exact=True).fill(text)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def said(page: Page, text: str, *, seconds: float = 20) -> None:
    expect(page.locator("[data-savestate]")).to_contain_text(text, timeout=seconds * 1000)


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

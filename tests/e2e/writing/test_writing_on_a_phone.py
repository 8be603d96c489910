"""An article's page on a phone, in Belarusian: nothing is cut off, and dates have their months."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.content import document
from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.server]
ARTICLE = """
from newsletter.editorial.models import Article, ArticleTranslation, Newsletter
article = Article.objects.create(newsletter=Newsletter.objects.get(slug="phones"))
ArticleTranslation.objects.create(article=article, language="be", headline="Нізкая вада",
    lead="Лід", body="<p>Тэкст.</p>", state="ready")
print(article.pk)
"""


def test_the_prompt_fits_and_the_kept_copy_is_dated_in_words(chromium: Browser, site: Site) -> None:
    site.import_document(document("phones", {}))
    url = f"/admin/editorial/article/{site.shell(ARTICLE)}/change/?language=be"
    phone = chromium.new_context(
        base_url=site.url, locale="be-BY", viewport={"width": 390, "height": 800}
    )
    with phone as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto(f"/admin/login/?next={url}")
        page.locator("[name=username]").fill("editor")
        page.locator("[name=password]").fill(site.password)
        page.locator("[name=password]").press("Enter")
        field = page.get_by_label("Лід", exact=True)
        state = page.locator("[data-savestate]")
        expect(state.locator("[data-for=good]")).to_be_visible()
        field.fill("Напісана ў трамваі")
        expect(state).to_contain_text("Яшчэ не захавана")
        # A tick means saved, and this isn't.
        expect(state.locator("[data-for=good]")).to_be_hidden()
        expect(state.locator("[data-for=plain]")).to_be_visible()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/admin/")
        page.goto(url)
        # Chromium itself knows no Belarusian months, and says “2026 M11 27”.
        kept = page.get_by_text("незахаваны тэкст")
        expect(kept).to_have_text(re.compile(r"\(\d{1,2} [а-яіў]+, \d\d:\d\d\)"))
        page.get_by_role("button", name="Аднавіць").click()
        expect(field).to_have_value("Напісана ў трамваі")

        context.clear_cookies(name="sessionid")
        page.get_by_text("Чарнавік", exact=True).click()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        box = dialog.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        page.get_by_role("button", name="Пазней").click()

"""Every page in every language: URLs, languages, nothing loaded from other sites."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from newsletter.editorial.models import Article, Newsroom, NewsroomTranslation
from tests.web.parsed_page import ParsedPage

LANGUAGES = ["en", "be", "ru"]
PAGES = ["", "issues/", "issues/weekly/2017-07-24/", "topics/security/", "about/", "privacy/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_exists_in_each_language(
    client: Client, army: Article, language: str, path: str
) -> None:
    response = client.get(f"/{language}/{path}")
    assert response.status_code == 200
    page = ParsedPage(response)
    (html,) = page.all("html")
    assert (html["lang"], html["dir"]) == (language, "ltr")
    assert page.canonical == f"{settings.SITE_URL}/{language}/{path}"
    assert len(page.all("h1")) == 1
    (current,) = page.all("a", **{"aria-current": "true"})
    assert current["hreflang"] == language


@pytest.mark.parametrize("path", PAGES)
def test_hreflang_is_reciprocal_and_includes_itself_and_a_default(  # F4
    client: Client, army: Article, path: str
) -> None:
    first = ParsedPage(client.get(f"/en/{path}")).alternates
    assert set(first) == {*LANGUAGES, "x-default"}
    for language in LANGUAGES:
        assert first[language] == f"{settings.SITE_URL}/{language}/{path}"
        assert ParsedPage(client.get(f"/{language}/{path}")).alternates == first
    assert first["x-default"] == first["en"]


def test_an_articles_hreflang_uses_each_translations_slug(
    client: Client, army: Article
) -> None:  # F4
    texts = {text.language: text.slug for text in army.translations.all()}
    expected = {
        code: f"{settings.SITE_URL}/{code}/articles/{slug}/" for code, slug in texts.items()
    }
    for code, slug in texts.items():
        alternates = ParsedPage(client.get(f"/{code}/articles/{slug}/")).alternates
        assert alternates == {**expected, "x-default": expected["en"]}


def test_dates_and_headlines_are_in_the_pages_language(client: Client, army: Article) -> None:
    page = ParsedPage(client.get("/be/issues/weekly/2017-07-24/"))
    assert "Тыдзень у фокусе" in page.text
    assert "24–30 ліпеня 2017" in page.text
    assert "Навіны войска" in page.text
    assert "July 24 – July 30, 2017" in ParsedPage(client.get("/en/issues/weekly/2017-07-24/")).text


def test_long_lists_are_paginated(client: Client, thirty_issues: list[object]) -> None:
    first, second = client.get("/ru/issues/"), client.get("/ru/issues/?page=2")
    assert ParsedPage(first).all("a", rel="next")[0]["href"] == "?page=2"
    page = ParsedPage(second)
    assert page.canonical.endswith("/ru/issues/?page=2")
    assert page.alternates["be"].endswith("/be/issues/?page=2")
    assert client.get("/ru/issues/?page=99").status_code == 404
    assert client.get("/ru/topics/security/?page=x").status_code == 404


def test_the_archive_uses_stand_alone_month_names(client: Client, army: Article) -> None:
    assert "Ліпень" in ParsedPage(client.get("/be/issues/")).text
    assert "1 article" in ParsedPage(client.get("/en/issues/")).text


def test_an_empty_site_works(client: Client, db: None) -> None:
    for path in PAGES:
        expected = 404 if "weekly" in path or "security" in path else 200
        assert client.get(f"/be/{path}").status_code == expected


def test_about_falls_back_to_the_nearest_language(client: Client, newsroom: Newsroom) -> None:
    NewsroomTranslation.objects.filter(language="ru").update(about="<p>О нас</p>")
    page = ParsedPage(client.get("/be/about/"))
    assert "О нас" in page.text
    assert page.all("div", lang="ru")


def test_pages_load_nothing_from_other_sites_and_run_no_inline_scripts(
    client: Client, army: Article, newsroom: Newsroom
) -> None:
    Newsroom.objects.update(follow_links=[{"label": "Telegram", "url": "https://t.me/x"}])
    slug = army.translations.get(language="en").slug
    for path in [*PAGES, f"articles/{slug}/", "no-such-page/"]:
        page = ParsedPage(client.get(f"/en/{path}"))
        assert [each["src"] for each in page.all("script")] in (
            [],
            ["/static/web/proof_of_work.js"],
        )
        assert not [name for _tag, found in page.elements for name in found if name[:2] == "on"]
        for tag, found in page.elements:
            loaded = found.get("src") or (
                found.get("href")
                if tag == "link" and found["rel"] in {"stylesheet", "icon"}
                else ""
            )
            assert not loaded or urlsplit(loaded).netloc == ""


def test_an_invalid_colour_never_reaches_the_style_sheet(
    client: Client, newsroom: Newsroom
) -> None:
    Newsroom.objects.update(accent="</styl")
    content = client.get("/en/").content.decode()
    (style,) = re.findall(r"<style>(.*?)</style>", content)
    assert "--accent-light: #8a1c1c" in style


def test_shared_caches_do_not_store_pages_with_a_form(client: Client, army: Article) -> None:
    response = client.get("/en/")
    assert "private" in response["Cache-Control"]
    assert "no-cache" in response["Cache-Control"]


def test_follow_links_are_only_https(client: Client, newsroom: Newsroom) -> None:
    Newsroom.objects.update(
        follow_links=[{"label": "x", "url": "javascript:x"}, {"url": "https://t.me/x"}]
    )
    content = client.get("/en/").content.decode()
    assert "javascript:" not in content
    assert "https://t.me/x" in content

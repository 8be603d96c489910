"""The feed, the sitemap, the health check, the /by/ redirect, and emails in the browser."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree  # it only parses our own output

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client

from newsletter.delivery.models import Edition, Mailing, Release
from newsletter.editorial.models import Article, Issue
from newsletter.lib.placeholders import Placeholder

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.mark.parametrize(
    ("language", "headline"),
    [("en", "Army news"), ("be", "Навіны войска"), ("ru", "Новости армии")],
)
def test_the_feed_of_each_language(
    client: Client, army: Article, draft: Article, language: str, headline: str
) -> None:
    response = client.get(f"/{language}/feed.xml")
    assert response["Content-Type"].startswith("application/rss+xml")
    assert "public" in response["Cache-Control"]
    assert not response.cookies
    channel = ElementTree.fromstring(response.content)[0]  # noqa: S314
    assert channel.findtext("language") == language
    (own,) = channel.findall(f"{ATOM}link")
    assert own.attrib["href"] == f"{settings.SITE_URL}/{language}/feed.xml"
    assert own.attrib["rel"] == "self"
    (item,) = channel.findall("item")
    assert item.findtext("title") == headline
    assert item.findtext("description") == f"{headline}: lead."
    slug = army.translations.get(language=language).slug
    assert item.findtext("link") == f"{settings.SITE_URL}/{language}/articles/{slug}/"
    moment = parsedate_to_datetime(str(item.findtext("pubDate")))
    assert moment == datetime(2017, 8, 1, 6, 0, tzinfo=UTC)


def test_the_sitemap_lists_each_translation_with_all_others(
    client: Client, army: Article, russian_only: Article, draft: Article, embargoed: Article
) -> None:
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)  # noqa: S314
    entries = {
        str(url.findtext(f"{MAP}loc")): {
            link.attrib["hreflang"]: link.attrib["href"] for link in url.findall(f"{XHTML}link")
        }
        for url in root
    }
    slugs = {text.language: text.slug for text in army.translations.all()}
    own = {code: f"{settings.SITE_URL}/{code}/articles/{slug}/" for code, slug in slugs.items()}
    for url in own.values():
        assert entries[url] == own
    single = russian_only.translations.get().slug
    assert [url for url in entries if url.endswith(f"/{single}/")] == [
        f"{settings.SITE_URL}/ru/articles/{single}/"
    ]
    assert f"{settings.SITE_URL}/be/issues/weekly/2017-07-24/" in entries
    hidden = (draft.translations.get().slug, embargoed.translations.get().slug)
    assert not [url for url in entries if url.rstrip("/").endswith(hidden)]


def test_healthz_reports_whether_the_database_answers(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/healthz").status_code == 200

    def refuse() -> Any:
        raise DatabaseError

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", refuse)
        assert client.get("/healthz").status_code == 503


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/by/", "/be/"),
        ("/by/issues/?page=2", "/be/issues/?page=2"),
        ("/by/articles/навіны/", "/be/articles/%D0%BD%D0%B0%D0%B2%D1%96%D0%BD%D1%8B/"),
    ],
)
def test_by_redirects_to_be(client: Client, old: str, new: str) -> None:
    response = client.get(old)
    assert (response.status_code, response["Location"]) == (301, new)


def test_the_by_redirect_leads_to_no_other_site(client: Client) -> None:
    assert client.get("/by//evil.example/")["Location"].startswith("/be/")


# --- Emails in the browser --------------------------------------------------------------------
@pytest.fixture
def edition(published: Issue) -> Edition:
    release = Release.objects.create(
        newsletter=published.newsletter, period="2017-07-24", issue=published
    )
    return Edition.objects.create(
        mailing=Mailing.objects.create(release=release),
        key="k",
        public_id="Qw3rty",
        language="be",
        subject="Тыдзень",
        html=f'<p style="color:red">Так</p><a href="{Placeholder.UNSUBSCRIBE.url}">x</a>'
        f'<a href="{Placeholder.PREFERENCES.url}">y</a><img src="cid:one@x" alt="">',
        text=f"Так\n{Placeholder.UNSUBSCRIBE.url}\n",
        headers={},
        images=[{"cid": "one@x", "name": "pictures/2017/river.png", "type": "image/png"}],
    )


def test_an_email_in_the_browser_has_no_personal_links(client: Client, edition: Edition) -> None:
    response = client.get("/view/Qw3rty/")
    home = f"{settings.SITE_URL}/be/"
    assert response.content.decode() == (
        f'<p style="color:red">Так</p><a href="{home}">x</a><a href="{home}">y</a>'
        '<img src="/media/pictures/2017/river.png" alt="">'
    )
    assert response["X-Robots-Tag"] == "noindex"
    policy = response["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src 'none'" in policy
    assert not response.cookies


def test_a_text_only_email_is_shown_as_text(client: Client, edition: Edition) -> None:
    Edition.objects.update(html="")
    response = client.get("/view/Qw3rty/")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == f"Так\n{settings.SITE_URL}/be/\n"


def test_an_unknown_email_is_not_found(client: Client, db: None) -> None:
    assert client.get("/view/nothing/").status_code == 404

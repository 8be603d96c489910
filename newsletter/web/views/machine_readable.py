"""What programs read: feed, sitemap, robots.txt, health; and the redirect of /by/."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Rss201rev2Feed
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from newsletter.editorial.models import ArticleTranslation, Issue, Topic
from newsletter.lib import outages
from newsletter.lib.private_paths import private_paths
from newsletter.web.articles import plain
from newsletter.web.context import Masthead
from newsletter.web.languages import redirected_prefixes
from newsletter.web.page_urls import Alternate, absolute, path_in, same_in_all, site_languages
from newsletter.web.views.page import page_language

FEED_ITEMS = 30
SITEMAP_URLS = 50_000
"""The protocol's limit for one file (sitemaps.org); the oldest are left out."""


class _Feed(Rss201rev2Feed):
    content_type = "application/rss+xml; charset=utf-8"


@require_safe
@cache_control(public=True, max_age=300)
def feed(request: HttpRequest) -> HttpResponse:
    """The newest articles in the page's language. A feed names one language for all of its
    items, so those that exist only in another are not in it."""
    language = page_language()
    newsroom = Masthead(request, language)
    rss = _Feed(
        title=newsroom.name,
        link=absolute(path_in(language, "web:home")),
        description=newsroom.tagline or newsroom.name,
        language=language,
        feed_url=absolute(path_in(language, "web:feed")),
    )
    for text in _newest_texts(language):
        url = absolute(path_in(language, "web:article", slug=text.slug))
        rss.add_item(
            title=text.headline,
            link=url,
            description=text.lead or plain(text.body)[:500],
            unique_id=url,
            unique_id_is_permalink=True,
            pubdate=text.article.published_at,
            author_name=text.authors or None,
        )
    return HttpResponse(rss.writeString("utf-8"), content_type=_Feed.content_type)


def _newest_texts(language: str) -> list[ArticleTranslation]:
    texts = ArticleTranslation.objects.public(timezone.now()).filter(language=language)
    newest = texts.select_related("article").order_by("-article__published_at", "-pk")
    return list(newest[:FEED_ITEMS])


@dataclass(frozen=True)
class SitemapEntry:
    """One address of the sitemap with its versions in other languages."""

    url: str
    alternates: tuple[Alternate, ...]


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap(request: HttpRequest) -> HttpResponse:
    entries = [entry for entry, _n in zip(_entries(), range(SITEMAP_URLS), strict=False)]
    return render(request, "web/sitemap.xml", {"entries": entries}, content_type="application/xml")


def _entries() -> Iterator[SitemapEntry]:
    for name in ("web:home", "web:archive", "web:about", "web:privacy"):
        yield from _in_all(name)
    for slug in Topic.objects.order_by("pk").values_list("slug", flat=True).distinct():
        yield from _in_all("web:topic", slug=slug)
    issues = Issue.objects.public(timezone.now()).select_related("newsletter")
    for issue in issues.newest_first():
        yield from _in_all("web:issue", newsletter=issue.newsletter.slug, key=issue.key)
    for _article, texts in groupby(_published_texts(), key=lambda row: row[0]):
        versions = tuple(
            Alternate(language, path_in(language, "web:article", slug=slug))
            for _id, language, slug in texts
            if language in site_languages()
        )
        yield from (SitemapEntry(version.url, versions) for version in versions)


def _published_texts() -> Iterator[tuple[int, str, str]]:
    """(article, language, slug), the newest article first; no text is loaded."""
    texts = ArticleTranslation.objects.public(timezone.now())
    ordered = texts.order_by("-article__published_at", "-article_id", "language")
    return ordered.values_list("article_id", "language", "slug").iterator()


def _in_all(name: str, **kwargs: str) -> Iterator[SitemapEntry]:
    alternates = same_in_all(name, language=site_languages()[0], **kwargs).alternates
    return (SitemapEntry(alternate.url, alternates) for alternate in alternates)


@require_safe
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    """RFC 9309. A URL with a token belongs to one reader, so no index should learn of it."""
    prefixes = [*site_languages(), *redirected_prefixes()]
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in private_paths(prefixes)),
        "",
        f"Sitemap: {absolute(reverse('sitemap'))}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 where the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        if service := outages.service_of(error):
            outages.current.failed(service, type(error).__name__)
        return HttpResponse("no database\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def redirect_to_language(request: HttpRequest, language: str, rest: str = "") -> HttpResponse:
    """Redirect `/by/…`, which readers type and old links have, to `/be/…`."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"/{language}/{rest}" + (f"?{query}" if query else ""))

"""The sitemap, with the translations of each page (sitemaps.org, F4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.editorial.models import ArticleTranslation, Issue, Topic
from newsletter.web.page_urls import (
    Alternate,
    fits_url,
    localized_path,
    site_languages,
    urls_in_every_language,
)

SITEMAP_URLS = 50_000
"""The limit for one file (sitemaps.org). The oldest articles are left out."""


@dataclass(frozen=True)
class SitemapEntry:
    """A URL and its translations."""

    url: str
    alternates: tuple[Alternate, ...]


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap(request: HttpRequest) -> HttpResponse:
    entries = list(islice(_all_entries(), SITEMAP_URLS))
    return render(request, "web/sitemap.xml", {"entries": entries}, content_type="application/xml")


def _all_entries() -> Iterator[SitemapEntry]:
    for name in ("web:home", "web:archive", "web:about", "web:privacy"):
        yield from _entries_in_every_language(name)
    for slug in Topic.objects.order_by("pk").values_list("slug", flat=True).distinct():
        if fits_url(slug):
            yield from _entries_in_every_language("web:topic", slug=slug)
    issues = Issue.objects.public(timezone.now()).select_related("newsletter")
    for issue in issues.newest_first():
        if fits_url(issue.newsletter.slug) and fits_url(issue.key):
            yield from _entries_in_every_language(
                "web:issue", newsletter=issue.newsletter.slug, key=issue.key
            )
    for _article, texts in groupby(_published_texts(), key=lambda row: row[0]):
        translations = tuple(
            Alternate(language, localized_path(language, "web:article", slug=slug))
            for _id, language, slug in texts
            if language in site_languages() and fits_url(slug)
        )
        yield from (SitemapEntry(translation.url, translations) for translation in translations)


def _published_texts() -> Iterator[tuple[int, str, str]]:
    """Yield (article ID, language, slug), newest article first, without loading the texts."""
    texts = ArticleTranslation.objects.public(timezone.now())
    ordered = texts.order_by("-article__published_at", "-article_id", "language")
    return ordered.values_list("article_id", "language", "slug").iterator()


def _entries_in_every_language(name: str, **kwargs: str) -> Iterator[SitemapEntry]:
    alternates = urls_in_every_language(name, language=site_languages()[0], **kwargs).alternates
    return (SitemapEntry(alternate.url, alternates) for alternate in alternates)

"""robots.txt, and the redirect of the alias that Belarusian pages have."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.lib.private_paths import private_paths
from newsletter.web.page_urls import absolute_url, site_languages

BELARUSIAN_ALIAS = "by"
"""The prefix that redirects to Belarusian pages."""


@require_safe
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    """Return robots.txt (RFC 9309). Private URLs contain tokens that no index should have."""
    prefixes = [*site_languages(), BELARUSIAN_ALIAS]
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in private_paths(prefixes)),
        "",
        f"Sitemap: {absolute_url(reverse('sitemap'))}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def redirect_by_to_be(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Redirect `/by/…`, which readers type and old links use, to `/be/…`."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"/be/{rest}" + (f"?{query}" if query else ""))

"""robots.txt, and the redirects of language aliases."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.lib.private_paths import private_paths
from newsletter.web.languages import redirected_prefixes
from newsletter.web.page_urls import absolute_url, site_languages


@require_safe
@cache_control(public=True, max_age=3600)
def robots(request: HttpRequest) -> HttpResponse:
    """Return robots.txt (RFC 9309). Private URLs contain tokens that no index should have."""
    prefixes = [*site_languages(), *redirected_prefixes()]
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in private_paths(prefixes)),
        "",
        f"Sitemap: {absolute_url(reverse('sitemap'))}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def redirect_to_language(request: HttpRequest, language: str, rest: str = "") -> HttpResponse:
    """Redirect `/by/…`, which readers type and old links use, to `/be/…`."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"/{language}/{rest}" + (f"?{query}" if query else ""))

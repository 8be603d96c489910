"""A mail in the browser: exactly what was sent, without what is personal."""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.delivery.models import Edition
from newsletter.lib import placeholders
from newsletter.web.page_urls import absolute, path_in, site_languages

# Its own pictures and style attributes, and nothing else.
POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}


@require_safe
@cache_control(public=True, max_age=300)
@csp_replace(POLICY)  # type: ignore[arg-type]  # it knows no view with arguments
def edition(request: HttpRequest, public_id: str) -> HttpResponse:
    """The edition's HTML, or its text where its readers want text only."""
    found = get_object_or_404(Edition, public_id=public_id)
    if found.html:
        response = HttpResponse(as_page(found))
    else:
        text = _without_places(found, found.text)
        response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Language"] = found.language
    response["X-Robots-Tag"] = "noindex"
    return response


def as_page(edition: Edition) -> str:
    """The HTML with its embedded pictures as files of the site."""
    html = _without_places(edition, edition.html)
    for image in edition.images:
        html = html.replace(f"cid:{image['cid']}", default_storage.url(image["name"]))
    return html


def _without_places(edition: Edition, text: str) -> str:
    """A discreet edition's leads nowhere: the home page would tell whose it is."""
    if edition.discreet:
        return placeholders.PLACEHOLDER_URL.sub("#", text)
    return without_places(text, edition.language)


def without_places(text: str, language: str) -> str:
    """Every place that is filled for a reader leads to the home page, where the form is: whoever
    was given the link holds no reader's token."""
    known = language if language in site_languages() else site_languages()[0]
    return placeholders.PLACEHOLDER_URL.sub(absolute(path_in(known, "web:home")), text)

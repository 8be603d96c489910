"""“View in browser”: an edition exactly as sent, without personal links."""

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
from newsletter.web.page_urls import absolute_url, localized_path, site_languages

# Only the email's own pictures and inline styles.
EMAIL_POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}


@require_safe
@cache_control(public=True, max_age=300)
@csp_replace(EMAIL_POLICY)  # type: ignore[arg-type]  # its type allows no view with arguments
def edition(request: HttpRequest, public_id: str) -> HttpResponse:
    """Return the edition's HTML, or its text if it is a text-only edition."""
    found = get_object_or_404(Edition, public_id=public_id)
    if found.html:
        response = HttpResponse(browser_html(found))
    else:
        text = _replace_placeholders(found, found.text)
        response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Language"] = found.language
    response["X-Robots-Tag"] = "noindex"
    return response


def browser_html(edition: Edition) -> str:
    """Return the HTML with embedded pictures replaced by URLs of the site's media files."""
    html = _replace_placeholders(edition, edition.html)
    for image in edition.images:
        html = html.replace(f"cid:{image['cid']}", default_storage.url(image["name"]))
    return html


def _replace_placeholders(edition: Edition, text: str) -> str:
    """Replace the personal links: in a discreet edition, even the home page reveals the sender."""
    if edition.discreet:
        return placeholders.PLACEHOLDER_URL.sub("#", text)
    return link_placeholders_to_home(text, edition.language)


def link_placeholders_to_home(text: str, language: str) -> str:
    """Replace each reader's personal links by the home page, where visitors can subscribe."""
    page_language = language if language in site_languages() else site_languages()[0]
    return placeholders.PLACEHOLDER_URL.sub(
        absolute_url(localized_path(page_language, "web:home")), text
    )

"""Discreet readers: their mails and links bear a second, neutral domain and name (DISCREET_URL,
DISCREET_SENDER, DISCREET_NAME), from the confirmation on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from newsletter.digest import content
from newsletter.digest.discreet import neutral_issue, neutral_newsletter


class NoDiscreetDomainError(content.RenderError):
    """There are discreet readers, and nothing neutral to write to them from."""


def is_offered() -> bool:
    return bool(settings.DISCREET_URL)


def site_of(*, discreet: bool) -> str:
    """The address of the site that a reader's links begin with."""
    return settings.DISCREET_URL if discreet and is_offered() else settings.SITE_URL


def name_of(own: str, *, discreet: bool) -> str:
    """What a newsletter is called to this reader."""
    return settings.DISCREET_NAME if discreet else own


def require_discreet_domain() -> None:
    """Raises NoNeutralDomain where the neutral domain was taken away: such a mail must not go out
    under the newsroom's own name."""
    if not is_offered():
        raise NoDiscreetDomainError("There are discreet readers, but DISCREET_URL is not set.")


def discreet_branding(newsletter: content.Newsletter) -> content.Newsletter:
    require_discreet_domain()
    return neutral_newsletter(
        newsletter, name=settings.DISCREET_NAME, site_url=settings.DISCREET_URL
    )


def discreet_issue(
    found: content.Issue, *, view_url: str, options: content.EditionOptions, today: date
) -> content.Issue:
    require_discreet_domain()
    return neutral_issue(
        found,
        name=settings.DISCREET_NAME,
        view_url=view_url,
        languages=(*options.chain, options.page_language),
        today=today,
    )


# --- Requests under the discreet domain -----------------------------------------------------
Answer = Callable[[HttpRequest], HttpResponse]

OPEN = frozenset({"one-click", "one-click-without-slash", "challenge", "edition"})
OURS = frozenset({"subscribe", "asked", "embedded", "embedded-without-slash", "embedded-asked"})
"""Readers' pages that are for strangers, and so under the newsroom's own domain alone."""


class DiscreetDomainMiddleware:
    """Whatever else is asked for under that domain is not there: it says nothing of whose it is."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        # The site's own page for what is not found has its masthead.
        has_no_view = request.resolver_match is None and response.status_code == 404
        return nothing() if has_no_view and is_discreet_domain(request) else response

    def process_view(
        self, request: HttpRequest, _view: object, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        found = request.resolver_match
        if found is None or not is_discreet_domain(request):
            return None
        if found.namespace == "subscribers":
            return nothing() if found.url_name in OURS else None
        return None if found.view_name in OPEN else nothing()


def nothing() -> HttpResponse:
    return HttpResponseNotFound("Not found.\n", content_type="text/plain")


def is_discreet_domain(request: HttpRequest) -> bool:
    domain = urlsplit(settings.DISCREET_URL).netloc
    return bool(domain) and request.get_host() == domain


def frame(request: HttpRequest) -> dict[str, str]:
    """Context of every template: which frame a reader's page has."""
    return {
        "reader_frame": "subscribers/bare.html" if is_discreet_domain(request) else "web/base.html"
    }

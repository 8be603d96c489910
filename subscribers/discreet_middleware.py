"""The neutral domain shows what discreet readers' links lead to, and nothing of the newsroom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

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
        "reader_frame": "subscribers/discreet_base.html"
        if is_discreet_domain(request)
        else "web/base.html"
    }

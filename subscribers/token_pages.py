"""What the pages behind a mail's links have in common.

The token is the authority: no cookie is set or looked at, so no CSRF token is needed, and a
mail program's own browser that keeps no cookies will do. The address of such a page holds the
token, so nothing learns of it: no referrer, no cache, no search engine. (With `no-referrer`
browsers send `Origin: null`, which a CSRF check would refuse.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers import tokens
from subscribers.models import Subscription
from subscribers.tokens import Expired, Purpose, TokenError

Page = Callable[[HttpRequest, str, Subscription], HttpResponse]
View = Callable[[HttpRequest, str], HttpResponse]
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def token_page(purpose: Purpose) -> Callable[[Page], View]:
    """A view that is given the token and its subscription, or else answers with a page that shows
    a way on: 404 for a token that is not ours, 410 for one whose time is over."""

    def decorate(page: Page) -> View:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(page)
        def view(request: HttpRequest, token: str) -> HttpResponse:
            return private(_answer(page, purpose, request, token))

        return view

    return decorate


def gone(request: HttpRequest) -> HttpResponse:
    """The link was good once; what it was for is over."""
    return render(request, "subscribers/link_over.html", {"why": "gone"}, status=410)


def private(response: HttpResponse) -> HttpResponse:
    """The response, kept by nobody and told to nobody: not to our own log either, where Django
    would write the whole address of each refusal."""
    for name, value in HEADERS.items():
        response[name] = value
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _answer(page: Page, purpose: Purpose, request: HttpRequest, token: str) -> HttpResponse:
    try:
        pk = tokens.read(purpose, token)
    except Expired:
        return render(request, "subscribers/link_over.html", {"why": "expired"}, status=410)
    except TokenError:
        return render(request, "subscribers/link_over.html", {"why": "forged"}, status=404)
    subscription = (
        Subscription.objects.select_related("subscriber", "newsletter").filter(pk=pk).first()
    )
    if subscription is None:
        return gone(request)
    return page(request, token, subscription)

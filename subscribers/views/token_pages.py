"""What the pages behind a mail's links have in common.

The token is the authority: no cookie is set or looked at, so no CSRF token is needed, and a
mail program's own browser that keeps no cookies will do. The address of such a page holds the
token, so nothing learns of it: no referrer, no cache, no search engine. (With `no-referrer`
browsers send `Origin: null`, which a CSRF check would refuse.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter.lib.languages import language_name
from subscribers.discreet_domain import name_of
from subscribers.links import tokens
from subscribers.links.tokens import ExpiredTokenError, LinkPurpose, TokenError
from subscribers.models import Subscription

T = TypeVar("T")
Page = Callable[[HttpRequest, str, T], HttpResponse]
View = Callable[[HttpRequest, str], HttpResponse]
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def subscription_with(pk: int) -> Subscription | None:
    return Subscription.objects.select_related("subscriber", "newsletter").filter(pk=pk).first()


def token_page(purpose: LinkPurpose) -> Callable[[Page[Subscription]], View]:
    """A view that is given the token and its subscription, or else answers with a page that shows
    a way on: 404 for a token that is not ours, 410 for one whose time is over."""
    return token_page_for(purpose, subscription_with)


def token_page_for(
    purpose: LinkPurpose, find: Callable[[int], T | None]
) -> Callable[[Page[T]], View]:
    """A `token_page` whose token's id is of something else."""

    def decorate(page: Page[T]) -> View:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(page)
        def view(request: HttpRequest, token: str) -> HttpResponse:
            return private(_answer(page, purpose, find, request, token))

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


def _answer(
    page: Page[T],
    purpose: LinkPurpose,
    find: Callable[[int], T | None],
    request: HttpRequest,
    token: str,
) -> HttpResponse:
    try:
        pk = tokens.parse(purpose, token)
    except ExpiredTokenError:
        context = {"why": "expired", "is_confirmation": purpose == LinkPurpose.CONFIRM}
        return render(request, "subscribers/link_over.html", context, status=410)
    except TokenError:
        return render(request, "subscribers/link_over.html", {"why": "forged"}, status=404)
    found = find(pk)
    return gone(request) if found is None else page(request, token, found)


def page_context(subscription: Subscription) -> dict[str, Any]:
    """What each page says of a subscription, in the page's language."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return {
        "language": language,
        "newsletter_name": name_of(
            subscription.newsletter.name_in(language), discreet=subscription.discreet
        ),
        "newsletter_slug": subscription.newsletter.slug,
        "languages": [(code, language_name(code)) for code in subscription.languages],
    }


def path_for(name: str, purpose: LinkPurpose, subscription: Subscription) -> str:
    """The address of a page for this subscription, in the page's language."""
    return reverse(f"subscribers:{name}", args=[tokens.make(purpose, subscription.pk)])


def redirect_303(url: str) -> HttpResponse:
    """303: what follows is fetched by GET, and a reload sends nothing twice."""
    return HttpResponseRedirect(url, status=303)

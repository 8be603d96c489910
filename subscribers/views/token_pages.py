"""What all pages behind the links in an email share.

The token alone authorises the request. No cookie is set or read, so no CSRF token is needed, and
the pages work in an email app's browser that keeps no cookies. The URL contains the token, so it
must not leak through a referrer, a cache or a search engine. (With `no-referrer`, browsers send
`Origin: null`, which Django's CSRF check would refuse.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
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

T = TypeVar("T", bound=Model)
Page = Callable[[HttpRequest, str, T], HttpResponse]
View = Callable[[HttpRequest, str], HttpResponse]
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def token_page(purpose: LinkPurpose) -> Callable[[Page[Subscription]], View]:
    """Decorate a view of a token and its subscription.

    A bad token gets a page with a way forward instead: 404 for one that we didn't make, 410 for
    one that has expired or whose subscription is gone.
    """
    return token_page_for(purpose, Subscription.objects.select_related("subscriber", "newsletter"))


def token_page_for(purpose: LinkPurpose, rows: QuerySet[T]) -> Callable[[Page[T]], View]:
    """Do the same for a token with the ID of one of these rows."""

    def decorate(page: Page[T]) -> View:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(page)
        def view(request: HttpRequest, token: str) -> HttpResponse:
            try:
                found = rows.filter(pk=tokens.parse(purpose, token)).first()
            except ExpiredTokenError:
                is_confirmation = purpose == LinkPurpose.CONFIRM
                return _link_invalid(request, "expired", is_confirmation=is_confirmation)
            except TokenError:
                return _link_invalid(request, "forged", status=404)
            return gone(request) if found is None else private(page(request, token, found))

        return view

    return decorate


def gone(request: HttpRequest) -> HttpResponse:
    """Return the page for a link that was valid once but has served its purpose."""
    return _link_invalid(request, "gone")


def _link_invalid(
    request: HttpRequest, reason: str, *, status: int = 410, **context: Any
) -> HttpResponse:
    context["reason"] = reason
    return private(render(request, "subscribers/link_invalid.html", context, status=status))


def private(response: HttpResponse) -> HttpResponse:
    """Mark the response as one that nobody may store or index, and that isn't logged: Django
    would log the whole URL, token included, of each refusal."""
    for name, value in HEADERS.items():
        response[name] = value
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def page_language() -> str:
    """Return the language of the page that is being shown."""
    return translation.get_language() or settings.LANGUAGE_CODE


def posted(request: HttpRequest) -> QueryDict | None:
    """Return a form's data, or None if the form is only to be shown."""
    return request.POST if request.method == "POST" else None


def page_context(subscription: Subscription) -> dict[str, Any]:
    """Return what every page shows of a subscription, in the page's language."""
    language = page_language()
    return {
        "language": language,
        "newsletter_name": name_of(
            subscription.newsletter.name_in(language), discreet=subscription.discreet
        ),
        "newsletter_slug": subscription.newsletter.slug,
        "languages": [(code, language_name(code)) for code in subscription.languages],
    }


def path_for(name: str, purpose: LinkPurpose, subscription: Subscription) -> str:
    """Return the path of one of this subscription's pages, in the current language."""
    return reverse(f"subscribers:{name}", args=[tokens.make(purpose, subscription.pk)])


def redirect_303(url: str) -> HttpResponse:
    """Redirect with 303, so that the next page is fetched by GET and a reload posts nothing."""
    return HttpResponseRedirect(url, status=303)

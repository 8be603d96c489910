"""Unsubscribing on a page or with an email app's one click, and resubscribing within a day.

Each takes effect before the response is sent.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose, TokenError
from subscribers.models import Subscription, UnsubscribeReason
from subscribers.views.token_pages import page_context, path_for, private, redirect_303, token_page

State = Subscription.State


@token_page(LinkPurpose.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the buttons on GET; unsubscribe on POST, then redirect."""
    if request.method != "POST":
        return _unsubscribe_page(request, subscription)
    if "all" in request.POST:
        unsubscribed = lifecycle.unsubscribe_from_all(subscription.pk)
    else:
        unsubscribed = [subscription.pk] if lifecycle.unsubscribe(subscription.pk) else []
    reason = request.POST.get("reason", "")
    if reason in UnsubscribeReason.Reason.values:
        lifecycle.count_unsubscribe_reason(unsubscribed, reason)
    return redirect_303(reverse("subscribers:unsubscribe", args=[token]))


@token_page(LinkPurpose.UNSUBSCRIBE)
def undo(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Resubscribe to all the newsletters that the reader unsubscribed from together."""
    if request.method == "POST" and lifecycle.resubscribe_to_all(subscription.pk):
        return redirect_303(
            path_for("preferences", LinkPurpose.PREFERENCES, subscription) + "?saved=1#saved"
        )
    return redirect_303(reverse("subscribers:unsubscribe", args=[token]))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribe on an email app's POST (RFC 8058, A5), whatever the encoding of its body.

    The change is committed before the response. A person who opens the URL sees the page with the
    button, in the reader's language.
    """
    if request.method == "POST":
        return private(_one_click_post(token))
    return _one_click_page(request, token)


def _one_click_post(token: str) -> HttpResponse:
    try:
        lifecycle.unsubscribe(tokens.parse(LinkPurpose.UNSUBSCRIBE, token))
    except TokenError:
        return HttpResponse("unknown token\n", content_type="text/plain", status=404)
    # A subscription that no longer exists gets the same response.
    return HttpResponse("unsubscribed\n", content_type="text/plain")


@token_page(LinkPurpose.UNSUBSCRIBE)
def _one_click_page(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    language = subscription.subscriber.language
    with translation.override(language if language in dict(settings.LANGUAGES) else None):
        return _unsubscribe_page(request, subscription)


def unsubscribed_page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """Return the page shown after unsubscribing; for a day it offers to resubscribe."""
    can_undo = lifecycle.can_undo(subscription)
    context = {
        **page_context(subscription),
        "undo": path_for("undo", LinkPurpose.UNSUBSCRIBE, subscription) if can_undo else "",
    }
    return render(request, "subscribers/unsubscribed.html", context)


def _unsubscribe_page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    if subscription.state == State.UNSUBSCRIBED:
        return unsubscribed_page(request, subscription)
    context = {
        **page_context(subscription),
        "unsubscribe": path_for("unsubscribe", LinkPurpose.UNSUBSCRIBE, subscription),
        "preferences": path_for("preferences", LinkPurpose.PREFERENCES, subscription),
        "is_active": subscription.state == State.ACTIVE,
        "reasons": UnsubscribeReason.Reason.choices,
        # The same for every reader, so that a forwarded email doesn't reveal other subscriptions.
        "has_others": Newsletter.objects.exclude(pk=subscription.newsletter_id).exists(),
    }
    return render(request, "subscribers/unsubscribe.html", context)

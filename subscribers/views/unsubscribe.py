"""Leaving: a page with a button, the POST of a mail program, and the way back. Each is at once."""

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
    """GET shows the buttons, POST unsubscribes; what is shown after can be loaded again."""
    if request.method != "POST":
        return _leaving_page(request, subscription)
    if "all" in request.POST:
        left = lifecycle.unsubscribe_from_all(subscription.pk)
    else:
        left = [subscription.pk] if lifecycle.unsubscribe(subscription.pk) else []
    reason = request.POST.get("reason", "")
    if reason in UnsubscribeReason.Reason.values:
        lifecycle.count_unsubscribe_reason(left, reason)
    return redirect_303(reverse("subscribers:unsubscribe", args=[token]))


@token_page(LinkPurpose.UNSUBSCRIBE)
def undo(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Back to what was left at once: one newsletter, or all."""
    if request.method == "POST" and lifecycle.resubscribe_to_all(subscription.pk):
        return redirect_303(
            path_for("preferences", LinkPurpose.PREFERENCES, subscription) + "?saved=1#saved"
        )
    return redirect_303(reverse("subscribers:unsubscribe", args=[token]))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058 (A5): a mail program's POST unsubscribes, whatever its body's encoding; it has
    committed when this answers. A person who opens the address sees the page with the button, in
    the reader's language."""
    if request.method == "POST":
        return private(_one_click_post(token))
    return _person_at_one_click(request, token)


def _one_click_post(token: str) -> HttpResponse:
    try:
        lifecycle.unsubscribe(tokens.parse(LinkPurpose.UNSUBSCRIBE, token))
    except TokenError:
        return HttpResponse("unknown token\n", content_type="text/plain", status=404)
    # Who is not there any more is not subscribed: the answer is the same.
    return HttpResponse("unsubscribed\n", content_type="text/plain")


@token_page(LinkPurpose.UNSUBSCRIBE)
def _person_at_one_click(
    request: HttpRequest, token: str, subscription: Subscription
) -> HttpResponse:
    language = subscription.subscriber.language
    with translation.override(language if language in dict(settings.LANGUAGES) else None):
        return _leaving_page(request, subscription)


def unsubscribed_page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """What is shown to whoever left; for a day, with the way back."""
    can_undo = lifecycle.can_undo(subscription)
    context = {
        **page_context(subscription),
        "undo": path_for("undo", LinkPurpose.UNSUBSCRIBE, subscription) if can_undo else "",
    }
    return render(request, "subscribers/unsubscribed.html", context)


def _leaving_page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    if subscription.state == State.UNSUBSCRIBED:
        return unsubscribed_page(request, subscription)
    context = {
        **page_context(subscription),
        "unsubscribe": path_for("unsubscribe", LinkPurpose.UNSUBSCRIBE, subscription),
        "preferences": path_for("preferences", LinkPurpose.PREFERENCES, subscription),
        "is_active": subscription.state == State.ACTIVE,
        "reasons": UnsubscribeReason.Reason.choices,
        # The same for each reader: it does not tell a finder what else the reader gets.
        "has_others": Newsletter.objects.exclude(pk=subscription.newsletter_id).exists(),
    }
    return render(request, "subscribers/unsubscribe.html", context)

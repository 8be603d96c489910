"""The confirmation and welcome pages behind the link in the confirmation email.

GET changes nothing: mail scanners open links (B2).
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from subscribers import lifecycle
from subscribers.lifecycle import Confirmation
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from subscribers.transactional.latest_issue import (
    latest_for_reader,
    queue_latest_issue,
    was_requested,
)
from subscribers.views.token_pages import gone, page_context, path_for, redirect_303, token_page

State = Subscription.State


@token_page(LinkPurpose.CONFIRM)
def confirm(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the confirmation button on GET; confirm on POST (B2).

    The page also lists the other newsletters that the same address signed up for, as an address
    gets only one confirmation email a day (B4).
    """
    welcome_url = reverse("subscribers:welcome", args=[token])
    if request.method == "POST":
        is_confirmed = lifecycle.confirm(subscription.pk) is not Confirmation.GONE
        checked = request.POST.getlist("also")
        for other in _other_pending(subscription):
            if str(other.pk) in checked:
                lifecycle.confirm(other.pk)
        return redirect_303(welcome_url) if is_confirmed else gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return gone(request)
    context = {
        **page_context(subscription),
        "is_active": subscription.state == State.ACTIVE,
        "welcome": welcome_url,
        "also": [(other.pk, page_context(other)) for other in _other_pending(subscription)],
    }
    return render(request, "subscribers/confirm.html", context)


def _other_pending(subscription: Subscription) -> QuerySet[Subscription]:
    return (
        Subscription.objects.select_related("newsletter")
        .filter(subscriber=subscription.subscriber_id, state=State.PENDING)
        .exclude(pk=subscription.pk)
        .order_by("pk")
    )


@token_page(LinkPurpose.CONFIRM)
def welcome(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the welcome page with the latest issue."""
    if subscription.state == State.PENDING:
        return redirect_303(reverse("subscribers:confirm", args=[token]))
    if subscription.state != State.ACTIVE:
        return gone(request)
    context = page_context(subscription)
    issue = latest_for_reader(subscription, context["language"])
    context |= {
        "issue": issue,
        "is_requested": issue is not None and was_requested(subscription, issue.id),
        "send_latest": reverse("subscribers:send-latest", args=[token]),
        "preferences": path_for("preferences", LinkPurpose.PREFERENCES, subscription),
    }
    return render(request, "subscribers/welcome.html", context)


@token_page(LinkPurpose.CONFIRM)
def send_latest(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Queue the latest issue for the reader on POST; it is sent only once."""
    if request.method == "POST":
        queue_latest_issue(subscription.pk)
    return redirect_303(reverse("subscribers:welcome", args=[token]))

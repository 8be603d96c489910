"""Everything of a reader's, behind a fresh link: it was mailed to their address at their wish,
and works for four hours. A mail that was passed on opens none of this."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from subscribers import intake, lifecycle, personal_data
from subscribers.forms.preferences import ChangeAddressForm
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, TransactionalEmail
from subscribers.views.token_pages import (
    page_context,
    path_for,
    redirect_303,
    token_page,
    token_page_for,
)

State = Subscription.State


@token_page(LinkPurpose.ACCOUNT)
def account(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """What a reader has, and what they can do with it."""
    own = subscription.subscriber.subscriptions.select_related("newsletter", "subscriber")
    context = {
        "subscriptions": [_shown(each) for each in own.order_by("pk")],
        "can_leave": own.exclude(state=State.UNSUBSCRIBED).exists(),
        **_links(token),
    }
    return render(request, "subscribers/you.html", context)


def _shown(subscription: Subscription) -> dict[str, Any]:
    """One of the reader's newsletters; who left it finds the way back behind the same link."""
    is_open = subscription.state != State.PENDING
    return {
        **page_context(subscription),
        "state": subscription.get_state_display(),
        "choices": path_for("preferences", LinkPurpose.PREFERENCES, subscription)
        if is_open
        else "",
    }


@token_page(LinkPurpose.ACCOUNT)
def personal_data_json(
    request: HttpRequest, token: str, subscription: Subscription
) -> HttpResponse:
    """What we know of the reader (GDPR Art. 15), but for the address: this process cannot read
    it, and the reader got the link there."""
    note = _("Stored encrypted. It is the address that the link to this page was sent to.")
    data = {"address": note, **personal_data.export_without_address(subscription.subscriber)}
    return JsonResponse(
        data,
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers={"Content-Disposition": 'attachment; filename="what-we-hold.json"'},
    )


@token_page(LinkPurpose.ACCOUNT)
def unsubscribe_from_all(
    request: HttpRequest, token: str, subscription: Subscription
) -> HttpResponse:
    if request.method == "POST":
        lifecycle.unsubscribe_from_all(subscription.pk)
    return redirect_303(reverse("subscribers:you", args=[token]))


@token_page(LinkPurpose.ACCOUNT)
def erase(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """GET tells what erasure means, POST erases."""
    if request.method != "POST":
        return render(request, "subscribers/forget.html", _links(token))
    personal_data.erase(subscription.subscriber)
    return redirect_303(reverse("subscribers:forgotten"))


@require_safe
def erased(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/forgotten.html")


# --- Another address --------------------------------------------------------------------------
@token_page(LinkPurpose.ACCOUNT)
def change_address(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    form = ChangeAddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        intake.receive_change(form.cleaned_data["email"], subscription_id=subscription.pk)
        return redirect_303(reverse("subscribers:change-asked"))
    context = {"form": form, **_links(token)}
    status = 422 if form.errors else 200
    return render(request, "subscribers/change_address.html", context, status=status)


@require_safe
def change_requested(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/change_asked.html")


def _change_with(email_id: int) -> tuple[int, Subscription] | None:
    email = TransactionalEmail.objects.filter(
        pk=email_id, kind=TransactionalEmail.Kind.CHANGE
    ).first()
    subscription = email.subscription() if email else None
    return (email_id, subscription) if subscription else None


@token_page_for(LinkPurpose.CHANGE_ADDRESS, _change_with)
def confirm_change(
    request: HttpRequest, token: str, asked: tuple[int, Subscription]
) -> HttpResponse:
    """At the new address: GET shows the button, POST confirms (B2)."""
    email_id, subscription = asked
    if request.method != "POST":
        return render(request, "subscribers/move.html", page_context(subscription))
    intake.receive_confirmed_change(email_id)
    return redirect_303(reverse("subscribers:moved"))


@require_safe
def change_confirmed(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/moved.html")


def _links(token: str) -> dict[str, str]:
    names = ("you", "held", "leave-all", "forget", "change-address")
    return {name.replace("-", "_"): reverse(f"subscribers:{name}", args=[token]) for name in names}

"""Everything of a reader's, behind a fresh link: it was mailed to their address at their wish,
and works for four hours. A mail that was passed on opens none of this."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from subscribers import inbox, lifecycle, personal_data
from subscribers.forms import ChangeAddressForm
from subscribers.models import Letter, Subscription
from subscribers.moving import subscription_of_change
from subscribers.token_pages import about, page_about, path_for, see, token_page
from subscribers.tokens import Purpose

State = Subscription.State


@token_page(Purpose.FRESH)
def you(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
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
        **about(subscription),
        "state": subscription.get_state_display(),
        "choices": path_for("preferences", Purpose.PREFERENCES, subscription) if is_open else "",
    }


@token_page(Purpose.FRESH)
def held(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """What we know of the reader (GDPR Art. 15), but for the address: this process cannot read
    it, and the reader got the link there."""
    note = _("Stored encrypted; it is the one that the link to this page was mailed to.")
    data = {"address": note, **personal_data.held(subscription.subscriber)}
    return JsonResponse(
        data,
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers={"Content-Disposition": 'attachment; filename="what-we-hold.json"'},
    )


@token_page(Purpose.FRESH)
def leave_all(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    if request.method == "POST":
        lifecycle.unsubscribe_from_all(subscription.pk)
    return see(reverse("subscribers:you", args=[token]))


@token_page(Purpose.FRESH)
def forget(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """GET tells what erasure means, POST erases."""
    if request.method != "POST":
        return render(request, "subscribers/forget.html", _links(token))
    personal_data.erase(subscription.subscriber)
    return see(reverse("subscribers:forgotten"))


@require_safe
def forgotten(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/forgotten.html")


# --- Another address --------------------------------------------------------------------------
@token_page(Purpose.FRESH)
def change_address(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    form = ChangeAddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        inbox.receive_change(form.cleaned_data["email"], subscription_id=subscription.pk)
        return see(reverse("subscribers:change-asked"))
    context = {"form": form, **_links(token)}
    status = 422 if form.errors else 200
    return render(request, "subscribers/change_address.html", context, status=status)


@require_safe
def change_asked(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/change_asked.html")


def _change_with(letter_id: int) -> tuple[int, Subscription] | None:
    letter = Letter.objects.filter(pk=letter_id, kind=Letter.Kind.CHANGE).first()
    subscription = subscription_of_change(letter) if letter else None
    return (letter_id, subscription) if subscription else None


@page_about(Purpose.MOVE, _change_with)
def move(request: HttpRequest, token: str, asked: tuple[int, Subscription]) -> HttpResponse:
    """At the new address: GET shows the button, POST confirms (B2)."""
    letter_id, subscription = asked
    if request.method != "POST":
        return render(request, "subscribers/move.html", about(subscription))
    inbox.receive_moved(letter_id)
    return see(reverse("subscribers:moved"))


@require_safe
def moved(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/moved.html")


def _links(token: str) -> dict[str, str]:
    names = ("you", "held", "leave-all", "forget", "change-address")
    return {name.replace("-", "_"): reverse(f"subscribers:{name}", args=[token]) for name in names}

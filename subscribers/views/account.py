"""The account pages: a reader's subscriptions, address and data.

They open only with a link that was emailed to the reader on request and works for four hours. The
links in a forwarded email open none of them.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from subscribers import intake, lifecycle, personal_data
from subscribers.forms.signup import ChangeAddressForm
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, TransactionalEmail
from subscribers.views.token_pages import (
    gone,
    page_context,
    path_for,
    posted,
    redirect_303,
    token_page,
    token_page_for,
)

State = Subscription.State


@token_page(LinkPurpose.ACCOUNT)
def account(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the reader's subscriptions and what they can do with them."""
    own = subscription.subscriber.subscriptions.select_related("newsletter", "subscriber")
    context = {
        "subscriptions": [_subscription_context(each) for each in own.order_by("pk")],
        "can_unsubscribe": own.exclude(state=State.UNSUBSCRIBED).exists(),
        "token": token,
    }
    return render(request, "subscribers/account.html", context)


def _subscription_context(subscription: Subscription) -> dict[str, Any]:
    """Return what the account page shows of one subscription. The preferences link of an
    unsubscribed one leads to the page that offers to subscribe again."""
    preferences = path_for("preferences", LinkPurpose.PREFERENCES, subscription)
    return {
        **page_context(subscription),
        "state": subscription.get_state_display(),
        "preferences": "" if subscription.state == State.PENDING else preferences,
    }


@token_page(LinkPurpose.ACCOUNT)
def your_data(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Return the data we hold about the reader as a JSON download (GDPR Art. 15). The address is
    left out: the web process can't decrypt it, and the reader received the link at that address."""
    note = _("Stored encrypted. It is the address that the link to this page was sent to.")
    data = {"address": note, **personal_data.export_without_address(subscription.subscriber)}
    return JsonResponse(
        data,
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers={"Content-Disposition": 'attachment; filename="your-data.json"'},
    )


@token_page(LinkPurpose.ACCOUNT)
def unsubscribe_all(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Unsubscribe the reader from every newsletter on POST."""
    if request.method == "POST":
        lifecycle.unsubscribe_from_all(subscription.pk)
    return redirect_303(reverse("subscribers:account", args=[token]))


@token_page(LinkPurpose.ACCOUNT)
def delete_data(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Explain on GET what erasure means, and erase the reader's data on POST."""
    if request.method != "POST":
        return render(request, "subscribers/delete_data.html", {"token": token})
    personal_data.erase(subscription.subscriber)
    return redirect_303(reverse("subscribers:data-deleted"))


# --- Changing the address ---------------------------------------------------------------------
@token_page(LinkPurpose.ACCOUNT)
def change_address(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Take a new address and have a confirmation emailed to it."""
    form = ChangeAddressForm(posted(request))
    if form.is_valid():
        intake.receive_change(form.cleaned_data["email"], subscription_id=subscription.pk)
        return redirect_303(reverse("subscribers:change-requested"))
    context = {"form": form, "token": token}
    status = 422 if form.errors else 200
    return render(request, "subscribers/change_address.html", context, status=status)


@token_page_for(
    LinkPurpose.CHANGE_ADDRESS,
    TransactionalEmail.objects.filter(kind=TransactionalEmail.Kind.CHANGE),
)
def confirm_change(request: HttpRequest, token: str, email: TransactionalEmail) -> HttpResponse:
    """Show the button to the reader of the new address on GET; confirm the change on POST (B2)."""
    subscription = email.subscription()
    if subscription is None:
        return gone(request)
    if request.method != "POST":
        return render(request, "subscribers/confirm_change.html", page_context(subscription))
    intake.receive_confirmed_change(email.pk)
    return redirect_303(reverse("subscribers:change-confirmed"))

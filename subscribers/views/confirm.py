"""A reader's pages behind a mail's links: the confirmation, the welcome, the choices. GET changes
nothing (B2)."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from subscribers import lifecycle
from subscribers.forms.preferences import PreferencesForm
from subscribers.lifecycle import Confirmation
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from subscribers.transactional.latest_issue import (
    latest_for_reader,
    queue_latest_issue,
    was_requested,
)
from subscribers.views.preview import preview
from subscribers.views.token_pages import gone, page_context, path_for, redirect_303, token_page
from subscribers.views.unsubscribe import unsubscribed_page

State = Subscription.State

# A mail's own pictures and styles, in a frame of the page it belongs to, and nothing else.
MAIL_POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}


# --- Confirming -------------------------------------------------------------------------------
@token_page(LinkPurpose.CONFIRM)
def confirm(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """GET shows what is to be confirmed, POST confirms it (B2). Other newsletters that were asked
    for at the same address are named too: each has no letter of its own (B4)."""
    welcome = reverse("subscribers:confirmed", args=[token])
    if request.method == "POST":
        done = lifecycle.confirm(subscription.pk) is not Confirmation.GONE
        ticked = request.POST.getlist("also")
        for other in _also_asked_for(subscription):
            if str(other.pk) in ticked:
                lifecycle.confirm(other.pk)
        return redirect_303(welcome) if done else gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return gone(request)
    context = {
        **page_context(subscription),
        "is_active": subscription.state == State.ACTIVE,
        "welcome": welcome,
        "also": [(other.pk, page_context(other)) for other in _also_asked_for(subscription)],
    }
    return render(request, "subscribers/confirm.html", context)


def _also_asked_for(subscription: Subscription) -> QuerySet[Subscription]:
    return (
        Subscription.objects.select_related("newsletter")
        .filter(subscriber=subscription.subscriber_id, state=State.PENDING)
        .exclude(pk=subscription.pk)
        .order_by("pk")
    )


@token_page(LinkPurpose.CONFIRM)
def confirmed(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """The welcome page, with the latest issue."""
    if subscription.state == State.PENDING:
        return redirect_303(reverse("subscribers:confirm", args=[token]))
    if subscription.state != State.ACTIVE:
        return gone(request)
    said = page_context(subscription)
    # The neutral domain has no article, and a discreet reader's page no headline.
    newsletter, chain = subscription.newsletter, subscription.languages
    issue = (
        None if subscription.discreet else latest_for_reader(newsletter, chain, said["language"])
    )
    context = {
        **said,
        "issue": issue,
        "is_asked_for": issue is not None and was_requested(subscription, issue.id),
        "send_latest": reverse("subscribers:send-latest", args=[token]),
        "preferences": path_for("preferences", LinkPurpose.PREFERENCES, subscription),
    }
    return render(request, "subscribers/welcome.html", context)


@token_page(LinkPurpose.CONFIRM)
def send_latest(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """The offer of the welcome page, taken up: once."""
    if request.method == "POST":
        queue_latest_issue(subscription.pk)
    return redirect_303(reverse("subscribers:confirmed", args=[token]))


# --- Choices ----------------------------------------------------------------------------------
@token_page(LinkPurpose.PREFERENCES)
def preferences(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    if subscription.state == State.PENDING:
        return gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return unsubscribed_page(request, subscription)
    said = page_context(subscription)
    form = PreferencesForm(
        subscription,
        site_languages=settings.LANGUAGES,
        language=said["language"],
        data=request.POST if request.method == "POST" else None,
    )
    if form.is_valid():
        page_language = form.cleaned_data["page_language"]
        lifecycle.change(subscription.pk, page_language=page_language, **form.choices())
        return redirect_303(_after_saving(form, token, page_language))
    context: dict[str, Any] = {
        **said,
        "form": form,
        "saved": "saved" in request.GET and not form.is_bound,
        "monthly": subscription.frequency == Subscription.Frequency.MONTHLY,
        "preview": reverse("subscribers:preview", args=[token]),
        "unsubscribe": path_for("unsubscribe", LinkPurpose.UNSUBSCRIBE, subscription),
    }
    return render(
        request, "subscribers/preferences.html", context, status=422 if form.errors else 200
    )


def _after_saving(form: PreferencesForm, token: str, page_language: str) -> str:
    """Where a language was moved up, back to the languages, to move it further."""
    place = "languages" if form.moved_up else "saved"
    with translation.override(page_language):
        return reverse("subscribers:preferences", args=[token]) + f"?saved=1#{place}"


@token_page(LinkPurpose.PREFERENCES)
def preview_page(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """The latest issue as the reader's choices make it, in a frame below what it is."""
    if subscription.state != State.ACTIVE:
        return gone(request)
    context = {
        **page_context(subscription),
        "monthly": subscription.frequency == Subscription.Frequency.MONTHLY,
        "shown": preview(subscription),
        "mail": reverse("subscribers:preview-mail", args=[token]),
        "preferences": reverse("subscribers:preferences", args=[token]),
    }
    return render(request, "subscribers/preview.html", context)


@csp_replace({**MAIL_POLICY, "frame-ancestors": [SELF]})  # type: ignore[arg-type]
@token_page(LinkPurpose.PREFERENCES)
def preview_mail(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    shown = preview(subscription)
    if subscription.state != State.ACTIVE or shown is None:
        return gone(request)
    response = HttpResponse(shown.html)
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response

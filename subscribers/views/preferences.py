"""The preferences page: languages, topics, frequency and appearance of one subscription."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from subscribers import lifecycle
from subscribers.forms.preferences import PreferencesForm
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from subscribers.views.token_pages import gone, page_context, path_for, redirect_303, token_page
from subscribers.views.unsubscribe import unsubscribed_page

State = Subscription.State


@token_page(LinkPurpose.PREFERENCES)
def preferences(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the form on GET and save it on POST."""
    if subscription.state == State.PENDING:
        return gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return unsubscribed_page(request, subscription)
    context: dict[str, Any] = page_context(subscription)
    posted = request.POST if request.method == "POST" else None
    form = PreferencesForm(subscription, context["language"], posted)
    if form.is_valid():
        page_language = form.cleaned_data["page_language"]
        lifecycle.change(subscription.pk, page_language=page_language, **form.columns())
        return redirect_303(_url_after_saving(form, token, page_language))
    context |= {
        "form": form,
        "saved": "saved" in request.GET and not form.is_bound,
        "monthly": subscription.frequency == Subscription.Frequency.MONTHLY,
        "preview": reverse("subscribers:preview", args=[token]),
        "unsubscribe": path_for("unsubscribe", LinkPurpose.UNSUBSCRIBE, subscription),
    }
    status = 422 if form.errors else 200
    return render(request, "subscribers/preferences.html", context, status=status)


def _url_after_saving(form: PreferencesForm, token: str, page_language: str) -> str:
    """Return the page's URL in the reader's (perhaps new) language. After moving a language up,
    it leads back to the list of languages, so that the reader can go on moving it."""
    fragment = "languages" if form.moved_position else "saved"
    with translation.override(page_language):
        return reverse("subscribers:preferences", args=[token]) + f"?saved=1#{fragment}"

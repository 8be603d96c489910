"""A reader's pages: the form, the confirmation, the choices, leaving. GET changes nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from newsletter.editorial.models import Newsletter
from newsletter.lib.languages import own_name
from subscribers import inbox, lifecycle, tokens
from subscribers.forms import PreferencesForm, subscribe_form
from subscribers.latest import ask_for, latest, was_asked_for
from subscribers.lifecycle import Confirmation
from subscribers.models import Subscription
from subscribers.token_pages import gone, private, token_page
from subscribers.tokens import Purpose, TokenError
from subscribers.wording import newsletter_name

State = Subscription.State


# --- Signing up -------------------------------------------------------------------------------
@sensitive_post_parameters("email")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form on a page of its own; a POST answers the same for each address (B1)."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    newsletter = _newsletter(request)
    if request.method != "POST":
        return _form_page(request, subscribe_form(newsletter, language))
    form = subscribe_form(newsletter, language, request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    if not form.is_trapped:
        inbox.receive_sign_up(
            form.cleaned_data["email"],
            newsletter=newsletter,
            languages=form.chain,
            page_language=language,
        )
    return _see(reverse("subscribers:asked"))


@never_cache
@require_http_methods(["GET", "HEAD"])
def asked(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/asked.html")


# --- Confirming -------------------------------------------------------------------------------
@token_page(Purpose.CONFIRM)
def confirm(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """GET shows what is to be confirmed, POST confirms it (B2)."""
    welcome = reverse("subscribers:confirmed", args=[token])
    if request.method == "POST":
        done = lifecycle.confirm(subscription.pk) is not Confirmation.GONE
        return _see(welcome) if done else gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return gone(request)
    is_active = subscription.state == State.ACTIVE
    context = {**_about(subscription), "is_active": is_active, "welcome": welcome}
    return render(request, "subscribers/confirm.html", context)


@token_page(Purpose.CONFIRM)
def confirmed(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """The welcome page, with the latest issue."""
    if subscription.state == State.PENDING:
        return _see(reverse("subscribers:confirm", args=[token]))
    if subscription.state != State.ACTIVE:
        return gone(request)
    about = _about(subscription)
    issue = latest(subscription.newsletter, subscription.chain, about["language"])
    context = {
        **about,
        "issue": issue,
        "is_asked_for": issue is not None and was_asked_for(subscription, issue.id),
        "send_latest": reverse("subscribers:send-latest", args=[token]),
        "preferences": _preferences_path(subscription),
    }
    return render(request, "subscribers/welcome.html", context)


@token_page(Purpose.CONFIRM)
def send_latest(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """The offer of the welcome page, taken up: once."""
    if request.method == "POST":
        ask_for(subscription.pk)
    return _see(reverse("subscribers:confirmed", args=[token]))


# --- Choices ----------------------------------------------------------------------------------
@token_page(Purpose.PREFERENCES)
def preferences(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    if subscription.state == State.PENDING:
        return gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return _unsubscribed_page(request, subscription)
    about = _about(subscription)
    form = PreferencesForm(
        subscription,
        site_languages=settings.LANGUAGES,
        language=about["language"],
        data=request.POST if request.method == "POST" else None,
    )
    if form.is_valid():
        page_language = form.cleaned_data["page_language"]
        lifecycle.change(subscription.pk, page_language=page_language, **form.choices())
        with translation.override(page_language):
            return _see(reverse("subscribers:preferences", args=[token]) + "?saved=1#saved")
    context = {
        **about,
        "form": form,
        "saved": "saved" in request.GET and not form.is_bound,
        "unsubscribe": _unsubscribe_path(subscription),
    }
    return render(
        request, "subscribers/preferences.html", context, status=422 if form.errors else 200
    )


# --- Leaving ----------------------------------------------------------------------------------
@token_page(Purpose.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """GET shows the button, POST unsubscribes; what is shown after can be loaded again."""
    if request.method == "POST":
        lifecycle.unsubscribe(subscription.pk)
        return _see(reverse("subscribers:unsubscribe", args=[token]))
    return _leaving_page(request, subscription)


@token_page(Purpose.UNSUBSCRIBE)
def undo(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    if request.method == "POST" and lifecycle.resubscribe(subscription.pk):
        return _see(_preferences_path(subscription) + "?saved=1#saved")
    return _see(reverse("subscribers:unsubscribe", args=[token]))


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
        lifecycle.unsubscribe(tokens.read(Purpose.UNSUBSCRIBE, token))
    except TokenError:
        return HttpResponse("unknown token\n", content_type="text/plain", status=404)
    # Who is not there any more is not subscribed: the answer is the same.
    return HttpResponse("unsubscribed\n", content_type="text/plain")


@token_page(Purpose.UNSUBSCRIBE)
def _person_at_one_click(
    request: HttpRequest, token: str, subscription: Subscription
) -> HttpResponse:
    language = subscription.subscriber.language
    with translation.override(language if language in dict(settings.LANGUAGES) else None):
        return _leaving_page(request, subscription)


# --- Steps ------------------------------------------------------------------------------------
def _newsletter(request: HttpRequest) -> Newsletter:
    """The one that was named, else the first. Raises Http404."""
    named = request.POST.get("newsletter") or request.GET.get("newsletter")
    if named:
        return get_object_or_404(Newsletter, slug=named)
    first = Newsletter.objects.first()
    if first is None:
        raise Http404
    return first


def _form_page(request: HttpRequest, form: Any, *, status: int = 200) -> HttpResponse:
    return render(request, "subscribers/subscribe.html", {"form": form}, status=status)


def _leaving_page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    if subscription.state == State.UNSUBSCRIBED:
        return _unsubscribed_page(request, subscription)
    context = {
        **_about(subscription),
        "unsubscribe": _unsubscribe_path(subscription),
        "preferences": _preferences_path(subscription),
        "is_active": subscription.state == State.ACTIVE,
    }
    return render(request, "subscribers/unsubscribe.html", context)


def _unsubscribed_page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    token = tokens.make(Purpose.UNSUBSCRIBE, subscription.pk)
    context = {
        **_about(subscription),
        "undo": reverse("subscribers:undo", args=[token])
        if lifecycle.can_undo(subscription)
        else "",
    }
    return render(request, "subscribers/unsubscribed.html", context)


def _about(subscription: Subscription) -> dict[str, Any]:
    language = translation.get_language() or settings.LANGUAGE_CODE
    return {
        "language": language,
        "newsletter_name": newsletter_name(subscription.newsletter, language),
        "newsletter_slug": subscription.newsletter.slug,
        "languages": [(code, own_name(code)) for code in subscription.chain],
    }


def _preferences_path(subscription: Subscription) -> str:
    token = tokens.make(Purpose.PREFERENCES, subscription.pk)
    return reverse("subscribers:preferences", args=[token])


def _unsubscribe_path(subscription: Subscription) -> str:
    token = tokens.make(Purpose.UNSUBSCRIBE, subscription.pk)
    return reverse("subscribers:unsubscribe", args=[token])


def _see(url: str) -> HttpResponse:
    """303: what follows is fetched by GET, and a reload sends nothing twice."""
    return HttpResponseRedirect(url, status=303)

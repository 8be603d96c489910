"""The pages that take an address: signing up, on this site or another one, and requesting a link.

Each gives the same response, in the same time, whether or not the address is known: it stores one
sealed row and queues no task (B1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, cast

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.editorial.models import Newsletter
from subscribers import intake
from subscribers.antiabuse import form_checks, rate_limits
from subscribers.forms.signup import AddressForm, EmbeddedForm, LinkForm, SubscribeForm
from subscribers.views import cached_newsletters
from subscribers.views.token_pages import redirect_303

View = Callable[..., HttpResponse]


# --- On the site ------------------------------------------------------------------------------
@sensitive_post_parameters("email")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Show the subscription form on its own page, and take a sign-up."""
    newsletter = _newsletter(request)
    if request.method != "POST":
        return _form_page(request, SubscribeForm(newsletter, _language()))
    form = SubscribeForm(newsletter, _language(), request.POST)
    if status := _refusal_status(request, form):
        return _form_page(request, form, status=status)
    _receive(form)
    return redirect_303(reverse("subscribers:signup-received"))


@never_cache
@require_safe
def signup_received(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/signup_received.html")


@never_cache
@require_safe
def challenge(request: HttpRequest) -> HttpResponse:
    """Return a new proof-of-work challenge (subscribers.antiabuse.form_checks)."""
    return JsonResponse(form_checks.new_challenge())


# --- Requesting a link ------------------------------------------------------------------------
@sensitive_post_parameters("email")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link_request(request: HttpRequest) -> HttpResponse:
    """Show the form that emails a reader a link to their account, and take the request."""
    if request.method != "POST":
        return render(
            request, "subscribers/link_request.html", {"form": LinkForm(auto_id="link_%s")}
        )
    form = LinkForm(request.POST, auto_id="link_%s")
    if status := _refusal_status(request, form):
        return render(request, "subscribers/link_request.html", {"form": form}, status=status)
    if not form.honeypot_filled:
        intake.receive_link_request(form.cleaned_data["email"])
    return redirect_303(reverse("subscribers:link-requested"))


@never_cache
@require_safe
def link_requested(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/link_requested.html")


# --- On other sites ---------------------------------------------------------------------------
def _for_other_sites(view: View) -> View:
    """Make a view usable from other sites: it sets and reads no cookie, and any page may frame it
    or fetch from it without credentials (B7)."""

    @sensitive_post_parameters("email")
    @never_cache
    @xframe_options_exempt
    @csp_replace({"frame-ancestors": ["*"]})
    @csrf_exempt
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Vary"] = "Accept"
        return response

    return cast(View, wrapper)


@_for_other_sites
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def embedded(request: HttpRequest, newsletter: str) -> HttpResponse:
    """Show the form for a frame, and take sign-ups from it, from another page's own form and from
    scripts, which get JSON if they accept no HTML."""
    if request.method == "OPTIONS":
        allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "86400"}
        return HttpResponse(status=204, headers=allowed)
    if request.method != "POST":
        found = get_object_or_404(Newsletter, slug=newsletter)
        return _embedded_page(request, EmbeddedForm(found, _language()))
    found = cached_newsletters.cached_newsletter(newsletter) or _not_found()
    form = EmbeddedForm(found, _language(), request.POST)
    status = _refusal_status(request, form)
    if not status:
        _receive(form)
    if request.accepts("text/html"):
        done = reverse("subscribers:embedded-received", args=[newsletter])
        return _embedded_page(request, form, status=status) if status else redirect_303(done)
    if status:
        return JsonResponse({"errors": form.errors.get_json_data()}, status=status)
    return JsonResponse({"message": _("Check your inbox")}, status=202)


@_for_other_sites
@require_safe
def embedded_received(request: HttpRequest, newsletter: str) -> HttpResponse:
    get_object_or_404(Newsletter, slug=newsletter)
    return render(request, "subscribers/embedded.html", {"is_received": True})


def _embedded_page(request: HttpRequest, form: EmbeddedForm, *, status: int = 200) -> HttpResponse:
    return render(request, "subscribers/embedded.html", {"form": form}, status=status)


# --- Steps ------------------------------------------------------------------------------------
def _refusal_status(request: HttpRequest, form: AddressForm) -> int:
    """Return the HTTP status for showing the form again with its errors, or 0 to accept it.

    A bot that filled in the honeypot is accepted, so that it learns nothing, and then ignored.
    """
    if not form.is_valid():
        return 422
    if form.honeypot_filled:
        return 0
    proven = form.is_proven()
    if not proven and form.submitted_too_fast():
        form.add_error(None, _("Please press the button again."))
        return 422
    if not rate_limits.network_allowed(request, proven=proven):
        form.add_error(None, _("Too many requests from your network. Try again in an hour."))
        return 429
    return 0


def _receive(form: SubscribeForm) -> None:
    if not form.honeypot_filled:
        intake.receive_sign_up(
            form.cleaned_data["email"],
            newsletter=form.instance,
            languages=form.chain,
            page_language=form.language,
            discreet=form.cleaned_data.get("discreet", False),
        )


def _newsletter(request: HttpRequest) -> Newsletter:
    """Return the requested newsletter, or else the first one. Raise Http404 if it doesn't exist."""
    requested = request.POST.get("newsletter") or request.GET.get("newsletter")
    if requested:
        # PostgreSQL refuses NUL in a query.
        slug = requested.replace("\0", "")
        if request.method == "POST":
            return cached_newsletters.cached_newsletter(slug) or _not_found()
        return get_object_or_404(Newsletter, slug=slug)
    return Newsletter.objects.first() or _not_found()


def _not_found() -> NoReturn:
    raise Http404


def _form_page(request: HttpRequest, form: SubscribeForm, *, status: int = 200) -> HttpResponse:
    return render(request, "subscribers/subscribe.html", {"form": form}, status=status)


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE

"""The pages that take an address: signing up, on this site or another one, and requesting a link.

Each gives the same response, in the same time, whether or not the address is known: it stores one
sealed row and queues no task (B1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from time import monotonic
from typing import Any, cast

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
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
from subscribers.views.token_pages import page_language, posted, redirect_303

View = Callable[..., HttpResponse]
CACHE_SECONDS = 5.0


# --- On the site ------------------------------------------------------------------------------
@sensitive_post_parameters("email")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Show the subscription form on its own page, and take a sign-up."""
    form = SubscribeForm(_requested_newsletter(request), page_language(), posted(request))
    if status := _page_status(request, form):
        return render(request, "subscribers/subscribe.html", {"form": form}, status=status)
    _receive(form)
    return redirect_303(reverse("subscribers:signup-received"))


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
    form = LinkForm(posted(request), auto_id="link_%s")
    if status := _page_status(request, form):
        return render(request, "subscribers/link_request.html", {"form": form}, status=status)
    if not form.honeypot_filled:
        intake.receive_link_request(form.cleaned_data["email"])
    return redirect_303(reverse("subscribers:link-requested"))


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
    wants_json = request.method == "POST" and not request.accepts("text/html")
    form = EmbeddedForm(_newsletter(request, newsletter), page_language(), posted(request))
    if status := _page_status(request, form):
        if wants_json:
            return JsonResponse({"errors": form.errors.get_json_data()}, status=status)
        return render(request, "subscribers/embedded.html", {"form": form}, status=status)
    _receive(form)
    if wants_json:
        return JsonResponse({"message": _("Check your inbox")}, status=202)
    return redirect_303(reverse("subscribers:embedded-received", args=[newsletter]))


@_for_other_sites
@require_safe
def embedded_received(request: HttpRequest, newsletter: str) -> HttpResponse:
    get_object_or_404(Newsletter, slug=newsletter)
    return render(request, "subscribers/embedded.html", {"is_received": True})


# --- Steps ------------------------------------------------------------------------------------
def _page_status(request: HttpRequest, form: AddressForm) -> int:
    """Return the HTTP status for showing the form, perhaps with its errors, or 0 to accept it. A
    bot that filled in the honeypot is accepted, so that it learns nothing, and then ignored."""
    if not form.is_bound:
        return 200
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


def _requested_newsletter(request: HttpRequest) -> Newsletter:
    """Return the requested newsletter, or else the first one. Raise Http404 if it doesn't exist."""
    requested = request.POST.get("newsletter") or request.GET.get("newsletter")
    if requested:
        # PostgreSQL refuses NUL in a query.
        return _newsletter(request, requested.replace("\0", ""))
    if newsletter := Newsletter.objects.first():
        return newsletter
    raise Http404


def _newsletter(request: HttpRequest, slug: str) -> Newsletter:
    if request.method == "POST":
        return cached_newsletter(slug)
    return get_object_or_404(Newsletter, slug=slug)


# --- Cached newsletters -----------------------------------------------------------------------
newsletter_cache: dict[str, tuple[float, Newsletter]] = {}


def cached_newsletter(slug: str) -> Newsletter:
    """Return the newsletter with its translations, at most `CACHE_SECONDS` old. Don't change it.

    Querying the same two rows took half the time of a sign-up, which would hurt in a flood of them.
    The worker checks a sign-up's languages against the newsletter of that moment. A slug that
    doesn't exist is looked up each time, so that nobody can fill the memory. Raises Http404 for it.
    """
    cached_at, found = newsletter_cache.get(slug, (0.0, None))
    if found is None or monotonic() - cached_at >= CACHE_SECONDS:
        found = get_object_or_404(Newsletter.objects.prefetch_related("translations"), slug=slug)
        newsletter_cache[slug] = (monotonic(), found)
    return found

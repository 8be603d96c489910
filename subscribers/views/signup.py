"""Pages that are given an address: signing up, here or on somebody else's page, and asking for a
link. Each answers the same for each address, in the same time: one sealed row, and no task (B1)."""

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
from subscribers.antiabuse import proof_of_work, rate_limits
from subscribers.forms.address import AddressForm
from subscribers.forms.preferences import EmbeddedForm, LinkForm, SubscribeForm, subscribe_form
from subscribers.views import cached_newsletters
from subscribers.views.token_pages import redirect_303

View = Callable[..., HttpResponse]


# --- On the site ------------------------------------------------------------------------------
@sensitive_post_parameters("email")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form on a page of its own."""
    newsletter = _newsletter(request)
    if request.method != "POST":
        return _form_page(request, subscribe_form(newsletter, _language()))
    form = subscribe_form(newsletter, _language(), request.POST)
    if status := _refused(request, form):
        return _form_page(request, form, status=status)
    _receive(form)
    return redirect_303(reverse("subscribers:asked"))


@never_cache
@require_safe
def signup_received(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/asked.html")


@never_cache
@require_safe
def challenge(request: HttpRequest) -> HttpResponse:
    """A proof of work to be done (subscribers.antiabuse.proof_of_work)."""
    return JsonResponse(proof_of_work.new_challenge())


# --- Asking for a link ------------------------------------------------------------------------
@sensitive_post_parameters("email")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link_request(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "subscribers/ask_link.html", {"form": LinkForm()})
    form = LinkForm(request.POST)
    if status := _refused(request, form):
        return render(request, "subscribers/ask_link.html", {"form": form}, status=status)
    if not form.honeypot_filled:
        intake.receive_link_request(form.cleaned_data["email"])
    return redirect_303(reverse("subscribers:link-asked"))


@never_cache
@require_safe
def link_requested(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/link_asked.html")


# --- On somebody else's page ------------------------------------------------------------------
def _for_other_sites(view: View) -> View:
    """No cookie is set or looked at; any page may frame it, or fetch from it without its
    visitor's cookies (B7)."""

    @sensitive_post_parameters("email")
    @never_cache
    @xframe_options_exempt
    @csp_replace({"frame-ancestors": ["*"]})
    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Vary"] = "Accept"
        return response

    return cast(View, answer)


@_for_other_sites
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def embedded(request: HttpRequest, newsletter: str) -> HttpResponse:
    """The form for a frame, and where a form in a page's own HTML, or a script, sends to."""
    if request.method == "OPTIONS":
        allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "86400"}
        return HttpResponse(status=204, headers=allowed)
    if request.method != "POST":
        found = get_object_or_404(Newsletter, slug=newsletter)
        return _frame(request, EmbeddedForm(found, _language()))
    found = cached_newsletters.cached_newsletter(newsletter) or _unknown()
    form = EmbeddedForm(found, _language(), request.POST)
    status = _refused(request, form)
    if not status:
        _receive(form)
    if request.accepts("text/html"):
        done = reverse("subscribers:embedded-asked", args=[newsletter])
        return _frame(request, form, status=status) if status else redirect_303(done)
    if status:
        return JsonResponse({"errors": form.errors.get_json_data()}, status=status)
    return JsonResponse({"message": _("Check your inbox")}, status=202)


@_for_other_sites
@require_safe
def embedded_received(request: HttpRequest, newsletter: str) -> HttpResponse:
    get_object_or_404(Newsletter, slug=newsletter)
    return render(request, "subscribers/embed.html", {"is_asked": True})


def _frame(request: HttpRequest, form: EmbeddedForm, *, status: int = 200) -> HttpResponse:
    return render(request, "subscribers/embed.html", {"form": form}, status=status)


# --- Steps ------------------------------------------------------------------------------------
def _refused(request: HttpRequest, form: AddressForm) -> int:
    """The status with which the form is shown again, its errors told; 0 where it is let in.

    A machine in the trap is let in, and nothing is done for it.
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
        form.add_error(
            None,
            _("Too many requests from your network. Try again in an hour."),
        )
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
    """The one that was named, else the first. Raises Http404."""
    named = request.POST.get("newsletter") or request.GET.get("newsletter")
    if named:
        # A slug that no database takes is as unknown as any other.
        slug = named.replace("\0", "")
        if request.method == "POST":
            return cached_newsletters.cached_newsletter(slug) or _unknown()
        return get_object_or_404(Newsletter, slug=slug)
    return Newsletter.objects.first() or _unknown()


def _unknown() -> NoReturn:
    raise Http404


def _form_page(request: HttpRequest, form: SubscribeForm, *, status: int = 200) -> HttpResponse:
    return render(request, "subscribers/subscribe.html", {"form": form}, status=status)


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE

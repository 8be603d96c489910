"""The account of whoever is signed in: password, second factor, sessions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_stubs_ext import StrOrPromise

from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.sign_in.second_factor import has_second_factor, needs_second_factor
from newsletter.desk.sign_in.sessions import end, sessions_of
from newsletter.desk.view_helpers import render_page, user_of

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
NEXT = "desk-after-second-factor"
"""In a session: the page that somebody wanted before they were led to their second factor."""


def in_the_desk(view: V, title: StrOrPromise) -> V:
    """Show one of allauth's pages as a page of the desk, and only to staff."""

    @changes_no_issue
    @wraps(view)
    def dressed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            own = admin.site.each_context(request) | {"title": title, **_way_on(request)}
            response.context_data = own | (response.context_data or {})
        return response

    return cast(V, admin.site.admin_view(dressed))


def _way_on(request: HttpRequest) -> dict[str, Any]:
    """Return whether the second factor has to be set up first, and the page that comes after."""
    factor_page = reverse("mfa_index")
    target = request.GET.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    if request.path == factor_page and is_safe:
        request.session[NEXT] = target
    is_forced = needs_second_factor(request.user) and not has_second_factor(request.user)
    go_on = "" if is_forced else request.session.get(NEXT, "")
    return {"is_forced": is_forced, "go_on": go_on, "done": factor_page}


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show what the account has, with links to the pages that change it."""
    user = user_of(request)
    factors = Authenticator.objects.filter(user=user)
    return render_page(
        request,
        "account/index.html",
        title=_("My account"),
        has_factor=has_second_factor(user),
        is_needed=needs_second_factor(user),
        passkeys=factors.filter(type=Authenticator.Type.WEBAUTHN).count(),
        has_app=factors.filter(type=Authenticator.Type.TOTP).exists(),
        sessions=sessions_of(user),
        this=request.session.session_key,
    )


@changes_no_issue
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the user out of one other browser."""
    mine = sessions_of(user_of(request)).filter(pk=pk).exclude(key=request.session.session_key)
    if not end(mine):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return redirect("account_home")


@changes_no_issue
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign the user out of every other browser."""
    end(sessions_of(user_of(request)).exclude(key=request.session.session_key))
    messages.success(request, _("All other browsers are signed out."))
    return redirect("account_home")

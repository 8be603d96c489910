"""Sign in without losing what was typed, after a session has ended or a cookie was lost (I1).

A page with scripts asks for the password in a dialog and posts it to `sign_in_again`. Without
scripts, a form that was posted too late is answered with a page that asks for the password and
posts the form again, with everything that was in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.mfa.internal.flows import trust
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from newsletter.delivery.oversight import kill_switch
from newsletter.desk.sign_in.backend import CLOSED, WAIT
from newsletter.desk.sign_in.forgery import is_forged
from newsletter.desk.sign_in.forms import CodeForm
from newsletter.desk.sign_in.second_factor import has_second_factor
from newsletter.desk.sign_in.throttle import attempt
from newsletter.desk.sign_in.wording import too_many_passwords

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
USERNAME, PASSWORD, CODE = "desk-username", "desk-password", "desk-code"
_SHOWN = ("headline", "lead", "body")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_again(request: HttpRequest) -> JsonResponse:
    """Return a CSRF token on GET; sign in on POST and return a new token, or an error and 403."""
    if request.method == "POST" and (error := sign_in(request)):
        return JsonResponse({"error": error}, status=403)
    return JsonResponse({"token": get_token(request)})


def sign_in(request: HttpRequest) -> str:
    """Sign in with the posted name and password; return why it failed, or ""."""
    if kill_switch.is_engaged():
        return _("The kill switch is on, so nobody can sign in.")
    credentials = {
        "username": request.POST.get(USERNAME, ""),
        "password": request.POST.get(PASSWORD, ""),
    }
    form = AdminAuthenticationForm(request, data=credentials)
    if not form.is_valid():
        return _why_not(request)
    user = form.get_user()
    if error := _check_second_factor(request, user):
        return error
    login(request, user)
    attempt(request, user.get_username()).forget()
    return ""


def _why_not(request: HttpRequest) -> str:
    if wait := getattr(request, WAIT, 0):
        return too_many_passwords(wait) + " " + _("Your text stays on this page.")
    if getattr(request, CLOSED, False):
        return _("This account has been closed. Copy your text from this page.")
    return _("The user name or the password is wrong.")


def _check_second_factor(request: HttpRequest, user: Any) -> str:
    """Return why the account's second factor, if it has one, isn't proved; "" if it is."""
    if not has_second_factor(user) or trust.is_trusted_browser(request, user):
        return ""
    code = request.POST.get(CODE, "")
    if not code:
        return _("Enter a code from your app, or a recovery code, as well.")
    form = CodeForm(user=user, data={"code": code})
    if not form.is_valid():
        return str(form.errors["code"][0])
    form.save()
    return ""


def keep_posted(view: V) -> V:
    """Answer a POST without a session or CSRF cookie with a page that keeps what was posted.

    `view` must be wrapped in `admin_view`. Nothing is saved before the user has signed in.
    """

    @wraps(view)
    @sensitive_post_parameters(PASSWORD, CODE)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        error = ""
        forged = is_forged(request)
        if not forged and PASSWORD in request.POST:
            error = sign_in(request)
        if forged or error or not admin.site.has_permission(request):
            return _ask_for_password(request, error)
        return view(request, *args, **kwargs)

    # The check above takes the place of the middleware, whose error page would lose the text.
    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    return cast(V, guarded)


def _ask_for_password(request: HttpRequest, error: str) -> HttpResponse:
    ours = {"csrfmiddlewaretoken", USERNAME, PASSWORD, CODE}
    posted = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ours
        for value in values
    ]
    username = request.POST.get(USERNAME) or request.POST.get("writer", "")
    response = TemplateResponse(
        request,
        "desk/article/sign_in.html",
        {
            **admin.site.each_context(request),
            "title": _("Sign in to save your text"),
            "has_permission": False,
            "posted": posted,
            "shown": [value for name, value in posted if name in _SHOWN and value],
            "username": username,
            "error": error,
        },
        status=403,
    )
    return response.render()


def json_view(view: V) -> V:
    """Answer 401 in JSON, instead of a redirect, if nobody is signed in."""
    inner = admin.site.admin_view(view)

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not admin.site.has_permission(request):
            return JsonResponse({"reason": "signed-out"}, status=401)
        return inner(request, *args, **kwargs)

    return cast(V, answered)

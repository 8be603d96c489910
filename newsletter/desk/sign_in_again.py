"""Sign in without losing what was typed, after a session has ended or a cookie was lost (I1).

A page with scripts asks for the password in a dialog and posts it to `sign_in_again`. Without
scripts, a form that was posted too late is answered with a page that asks for the password and
posts the form again, with everything that was in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from newsletter.delivery.oversight import kill_switch
from newsletter.editorial.models import User

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
USERNAME, PASSWORD = "desk-username", "desk-password"
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
    if form.is_valid():
        login(request, form.get_user())
        return ""
    if getattr(request, "axes_locked_out", False):
        # Otherwise its middleware would replace the page that holds the text.
        request.axes_locked_out = False  # type: ignore[attr-defined]
        return _("Too many wrong passwords. Try again in an hour; your text stays on this page.")
    if _is_closed(**credentials):
        return _("This account has been closed. Copy your text from this page.")
    return _("The user name or the password is wrong.")


def _is_closed(username: str, password: str) -> bool:
    """Return whether the credentials are those of an account that was closed."""
    user = User.objects.filter(username=username, is_active=False).first()
    return user is not None and user.check_password(password)


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:  # noqa: ARG002
        return reason


def _is_forged(request: HttpRequest) -> bool:
    """Return whether the CSRF cookie or token is missing or wrong. It may just have been lost."""
    check = _CsrfCheck(lambda _request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, keep_posted, (), {}) is not None


def keep_posted(view: V) -> V:
    """Answer a POST without a session or CSRF cookie with a page that keeps what was posted.

    `view` must be wrapped in `admin_view`. Nothing is saved before the user has signed in.
    """

    @wraps(view)
    @sensitive_post_parameters(PASSWORD)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        error = ""
        is_forged = _is_forged(request)
        if not is_forged and PASSWORD in request.POST:
            error = sign_in(request)
        if is_forged or error or not admin.site.has_permission(request):
            return _ask_for_password(request, error)
        return view(request, *args, **kwargs)

    # The check above takes the place of the middleware, whose error page would lose the text.
    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    return cast(V, guarded)


def _ask_for_password(request: HttpRequest, error: str) -> HttpResponse:
    ours = {"csrfmiddlewaretoken", USERNAME, PASSWORD}
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

"""Runs with each request to the desk: notes that a session is in use, and leads staff who need a
second factor to the page that sets one up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.desk.sign_in.forgery import is_forged
from newsletter.desk.sign_in.second_factor import has_second_factor, needs_second_factor
from newsletter.desk.sign_in.sessions import record_use

GetResponse = Callable[[HttpRequest], HttpResponse]


def _is_staff_at_desk(request: HttpRequest) -> bool:
    if not request.path.startswith(settings.LANGUAGE_COOKIE_PATH):
        return False
    return bool(request.user.is_authenticated and request.user.is_staff)


class SessionMiddleware:
    """Keeps the list of each user's sessions."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_staff_at_desk(request):
            record_use(request, request.user)
        return self._get_response(request)


class SecondFactorMiddleware:
    """Opens only the account's pages to staff who need a second factor and have none.

    A GET leads to the page that sets one up, and from there back. What was posted comes back on a
    page from which it can be posted again (I1).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Answer in the view's place if a second factor is missing."""
        return _ask_for_factor(request) if self._must_wait(request) else None

    def _must_wait(self, request: HttpRequest) -> bool:
        if settings.SECOND_FACTOR_REQUIRED == "nobody" or not _is_staff_at_desk(request):
            return False
        open_paths = ("account_home", "admin:logout", "admin:set_language", "admin:login")
        if any(request.path.startswith(reverse(name)) for name in open_paths):
            return False
        if request.path.startswith(reverse("admin:jsi18n")):
            return False
        return needs_second_factor(request.user) and not has_second_factor(request.user)


def _ask_for_factor(request: HttpRequest) -> HttpResponse:
    set_up = reverse("mfa_index")
    if request.method in {"GET", "HEAD"}:
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{set_up}?{query}")
    if request.headers.get("Accept", "").startswith("application/json"):
        reason = _("Set up your second factor first, on the page of your account.")
        facts = {"reason": "second-factor", "error": reason, "message": reason}
        return JsonResponse(facts, status=403)
    posted = [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
    context = {
        **admin.site.each_context(request),
        "title": _("Set up your second factor to go on"),
        "posted": posted,
        "shown": [value for _name, value in posted if len(value) > 20],
        # Another site can't make anybody post what it likes with one click.
        "can_post_again": not is_forged(request),
        "set_up": set_up,
    }
    page = TemplateResponse(request, "desk/sign_in/factor_needed.html", context, status=403)
    return page.render()

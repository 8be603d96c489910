"""Error pages, and error reports without personal data.

404 and 403 use Django's views with our templates. The templates of 400 and 500 need neither the
database nor a request. No error report contains what was posted to a form (G4).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from django.views.debug import SafeExceptionReporterFilter

MAX_DISCARDED_BYTES = 32_000_000
"""Bytes of a refused form that are read and discarded, so that the browser shows the response."""


class WithoutPostedDataFilter(SafeExceptionReporterFilter):
    """Redacts posted data and local variables from error reports: they may contain addresses."""

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        if request is None or not self.is_active(request):
            return super().get_post_parameters(request)
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> Any:
        if not self.is_active(request):
            return super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 after reading the rest of the request.

    A form that is too large is refused before it is read. If the rest were left unread, the browser
    would show a broken connection instead of the page.
    """
    remaining = MAX_DISCARDED_BYTES
    try:
        while remaining > 0 and (chunk := request.read(65_536)):
            remaining -= len(chunk)
    except OSError:
        pass  # the client disconnected, or the body was read before
    return defaults.bad_request(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Explain to the visitor what to do about a missing CSRF cookie. `reason` is for developers."""
    return render(request, "403_csrf.html", status=403)

"""What a visitor sees where something is refused.

404 and 403 are Django's own views with templates of ours; 400 and 500 have templates that need
neither the database nor a request. No report of an error repeats what a form was sent (G4).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from django.views.debug import SafeExceptionReporterFilter

MAX_DISCARDED_BYTES = 32_000_000
"""Bytes of a refused form that are read, so that its sender gets to see the answer."""


class WithoutPostedDataFilter(SafeExceptionReporterFilter):
    """Reports of errors, should somebody have them mailed, tell where it happened: neither what
    was posted nor what the variables held, which for our forms is an address."""

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        if request is None or not self.is_active(request):
            return super().get_post_parameters(request)
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> Any:
        if not self.is_active(request):
            return super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400. A form that is too large is refused before it is read; what is left of it is read now,
    or its sender would see a broken connection in the place of the answer."""
    left = MAX_DISCARDED_BYTES
    try:
        while left > 0 and (part := request.read(65_536)):
            left -= len(part)
    except OSError:
        pass  # it ended on their side, or was read already
    return defaults.bad_request(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that comes without its cookie: nothing was done, and the visitor learns how to go
    on. `reason` is for developers, and stays with us."""
    return render(request, "403_csrf.html", status=403)

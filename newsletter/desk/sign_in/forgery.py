"""Whether a POST comes from one of our own pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:  # noqa: ARG002
        return reason


def _unmarked(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """A view without `csrf_exempt`, as the check wants one."""
    return HttpResponse()


def is_forged(request: HttpRequest) -> bool:
    """Return whether the CSRF cookie or token is missing or wrong. It may just have been lost."""
    check = _CsrfCheck(_unmarked)
    check.process_request(request)
    return check.process_view(request, _unmarked, (), {}) is not None

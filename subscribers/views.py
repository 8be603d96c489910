"""A reader's pages."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def _later(request: HttpRequest, token: str = "") -> HttpResponse:
    raise Http404


subscribe = asked = confirm = confirmed = send_latest = preferences = unsubscribe = undo = _later
one_click = _later

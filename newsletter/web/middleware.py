"""Middleware of the whole site."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]


def no_body_for_head(get_response: View) -> View:
    """Answer HEAD with the headers of GET and no body (RFC 9110, 9.3.2).

    Django leaves the body for the web server to drop, and gunicorn logs a warning each time. This
    must be the outermost middleware, as other middleware and error pages also write bodies.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method != "HEAD":
            return response
        if isinstance(response, StreamingHttpResponse):
            # The underlying file is still closed with the response.
            response.streaming_content = []
        elif isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return respond


def no_nul(get_response: View) -> View:
    """Answer 404 if the path or a cookie contains a NUL, which no browser sends.

    PostgreSQL refuses NULs in queries, whether for a page or a session, so this must come before
    the session middleware.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        if any("\0" in value for value in (request.path_info, *request.COOKIES.values())):
            raise Http404
        return get_response(request)

    return respond


def small_public_forms(get_response: View) -> View:
    """Answer 400 to large forms of visitors, before they are read: only the desk has long texts.

    Comes after the authentication middleware, which makes `request.user`. A body without a length
    isn't read at all (PEP 3333).
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_large = not length.isdecimal() or int(length) > settings.PUBLIC_FORM_MAX_BYTES
        if is_large and not request.path_info.startswith("/hooks/") and not _is_staff(request):
            raise RequestDataTooBig("The form is larger than PUBLIC_FORM_MAX_BYTES.")
        return get_response(request)

    return respond


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated and request.user.is_staff)

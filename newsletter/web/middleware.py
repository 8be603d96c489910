"""Middleware of the whole site."""

from __future__ import annotations

from collections.abc import Callable

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

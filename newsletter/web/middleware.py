"""What holds for every request, whichever view answers it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]


def no_body_for_head(get_response: View) -> View:
    """Answer HEAD with the headers of GET and no body (RFC 9110, 9.3.2).

    Django leaves the body to the web server, and gunicorn logs a warning for each one that it has
    to drop. Comes first, as other middleware and the pages of errors also write bodies.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method != "HEAD":
            return response
        if isinstance(response, StreamingHttpResponse):
            # What it would have read from is closed with the response all the same.
            response.streaming_content = []
        elif isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return answer


def no_nul(get_response: View) -> View:
    """404 if the path or a cookie holds a NUL, which no browser sends: PostgreSQL refuses it in a
    query, for a page as for a session. Comes before the session."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if any("\0" in text for text in (request.path_info, *request.COOKIES.values())):
            raise Http404
        return get_response(request)

    return answer

"""`/hooks/NAME/`: a provider's POST is verified, sealed into the intake and answered.

The web process parses nothing beyond what verification needs; a worker reads the events
(newsletter.delivery.feedback.reading). A POST that was answered with 200 is durable.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from newsletter.delivery.feedback.posts import Post, UnverifiedError
from newsletter.delivery.feedback.providers import configured_hook
from newsletter.lib import outages
from subscribers import intake
from subscribers.models import Intake

log = logging.getLogger(__name__)


@csrf_exempt
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    """Take a provider's POST. No answer repeats anything of the request."""
    hook = configured_hook(provider)
    if hook is None:
        return _answer(404)
    if request.method == "HEAD" or (request.method == "GET" and hook.tested_with_get):
        return _answer(200)  # the provider tests the URL when it is configured
    if request.method != "POST":
        return _answer(405, Allow="HEAD, POST")
    if hook.challenged and "HTTP_AUTHORIZATION" not in request.META:
        return _answer(401, **{"WWW-Authenticate": 'Basic realm="webhooks"'})
    length = _content_length(request)
    if length is None:
        return _answer(411)
    if length > settings.WEBHOOK_MAX_BYTES:
        return _answer(413)
    try:
        post = Post.of_request(provider, request, request.read(length))
        post.verify()
        intake.receive(Intake.Kind.WEBHOOK, post.as_data())
    except UnreadablePostError:
        return _answer(400)
    except UnverifiedError as error:
        log.warning("webhook-refused", extra={"provider": provider, "reason": error})
        return _answer(403)
    except DatabaseError as error:
        if service := outages.failed_service(error):
            outages.monitor.report_failure(service, type(error).__name__)
        return _answer(503, **{"Retry-After": "60"})
    return _answer(200)


def _content_length(request: HttpRequest) -> int | None:
    """Return the length of the body; None if it isn't given, as in a chunked request."""
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdecimal() else None


def _answer(status: int, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, content_type="text/plain", headers=headers)

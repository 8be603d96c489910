"""One POST of a provider: verified in the web process, sealed, and read again by a worker."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from newsletter.delivery.feedback.providers import verifier

KEPT_HEADERS = ("CONTENT_TYPE", "HTTP_SVIX_ID")
"""What parsing needs besides the body. No signature or password is stored."""
MAX_AGE = timedelta(hours=24)
"""How old a signed POST may be. Mailgun repeats one for 8 hours, SendGrid for 24, and neither says
whether it signs again; a repeated event counts once in any case (D10)."""
MAX_AHEAD = timedelta(minutes=15)


class UnverifiedError(Exception):
    """The POST doesn't prove where it comes from. The message contains nothing of it."""


@dataclass(frozen=True)
class Post:
    """A provider's POST. The repr shows nothing of it, because bodies contain addresses."""

    provider: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """In WSGI's form: CONTENT_TYPE, HTTP_…"""
    received_at: datetime

    @classmethod
    def of_request(cls, provider: str, request: HttpRequest, body: bytes) -> Post:
        headers = {
            name: str(value)
            for name, value in request.META.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        return cls(provider, body, headers, datetime.now(UTC))

    def as_request(self) -> WSGIRequest:
        """Return the POST as Anymail's views take it."""
        request = WSGIRequest(
            {
                **self.headers,
                "REQUEST_METHOD": "POST",
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "wsgi.input": BytesIO(),
            }
        )
        # Set here, because our limit differs from DATA_UPLOAD_MAX_MEMORY_SIZE.
        request._body = self.body
        return request

    def verify(self) -> None:
        """Check the signature or password, and the age if it is signed. Raises UnverifiedError."""
        request = self.as_request()
        try:
            verifier(self.provider).run_validators(request)
            signed_at = _signed_at(self.provider, request)
        except Exception as error:  # noqa: BLE001 - Anymail's errors quote the body
            raise UnverifiedError(type(error).__name__) from None
        if signed_at is not None:
            age = self.received_at - signed_at
            if not -MAX_AHEAD <= age <= MAX_AGE:
                raise UnverifiedError("TooOld")

    def as_data(self) -> dict[str, Any]:
        """Return the POST as JSON data, to be sealed."""
        return {
            "provider": self.provider,
            # Compressed, because sealing and storing cost more than compressing.
            "body": base64.b64encode(zlib.compress(self.body, 1)).decode("ascii"),
            "headers": {n: self.headers[n] for n in KEPT_HEADERS if n in self.headers},
            "at": self.received_at.isoformat(timespec="seconds"),
        }

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Post:
        """Return the POST from what `as_data` returned."""
        return cls(
            data["provider"],
            zlib.decompress(base64.b64decode(data["body"])),
            data["headers"],
            datetime.fromisoformat(data["at"]),
        )


def _signed_at(provider: str, request: WSGIRequest) -> datetime | None:
    """Return the time that the signature covers, or None. Svix checks its own (five minutes)."""
    if provider == "sendgrid":
        text = request.headers["X-Twilio-Email-Event-Webhook-Timestamp"]
    elif provider == "mailgun":
        text = _mailgun_timestamp(request)
    else:
        return None
    return datetime.fromtimestamp(float(text), tz=UTC)


def _mailgun_timestamp(request: WSGIRequest) -> str:
    if request.content_type == "application/json":
        return str(json.loads(request.body)["signature"]["timestamp"])
    return str(request.POST["timestamp"])

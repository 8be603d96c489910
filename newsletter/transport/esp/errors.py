"""Turns the exceptions of Anymail and requests, which contain addresses, into values (G2)."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from urllib3 import exceptions as urllib3

from newsletter.transport.decisions import CallStatus, http_call_status, retry_after
from newsletter.transport.outcomes import Result

RESULTS = {
    "sent": Result.SENT,
    "queued": Result.SENT,
    "invalid": Result.REFUSED,
    "rejected": Result.REFUSED,
    "failed": Result.FAILED,
}
"""By Anymail's status. Any other status, or none for a recipient, is UNKNOWN (C8)."""


_NOT_CONNECTED = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


@dataclass(frozen=True)
class CallFailure:
    """Why a call failed, without anything from the response body."""

    status: CallStatus
    reason: str
    code: int | None = None
    retry_after: int | None = None


def classify_failure(error: Exception) -> CallFailure:
    """Classify an exception: the call was not accepted, may have been accepted, or was rejected."""
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response):
        return _classify_response(response)
    cause = error.__cause__ if isinstance(error.__cause__, requests.RequestException) else error
    if _was_never_sent(cause):
        return CallFailure(CallStatus.UNAVAILABLE, "connection failed")
    return CallFailure(CallStatus.UNKNOWN, "no response")


def _classify_response(response: requests.Response) -> CallFailure:
    code = response.status_code
    status = http_call_status(code)
    if status is CallStatus.ACCEPTED:
        # Accepted, but the recipients' statuses cannot be read.
        return CallFailure(CallStatus.UNKNOWN, f"HTTP {code} with an unreadable response", code)
    wait = retry_after(response.headers.get("Retry-After"))
    return CallFailure(status, f"HTTP {code}", code, wait)


def _was_never_sent(error: BaseException) -> bool:
    """Return whether no connection was made. A later timeout or loss is ambiguous (E6)."""
    if isinstance(error, _NOT_CONNECTED):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(reason, urllib3.NewConnectionError | urllib3.ConnectTimeoutError):
        return True
    return isinstance(reason, urllib3.SSLError) and "certificate verify" in str(reason).lower()

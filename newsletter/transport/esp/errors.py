"""What Anymail and requests raise, turned into values: they hold addresses and replies (G2)."""

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
"""Anymail's statuses; any other, and a recipient of whom nothing is said, is UNKNOWN (C8)."""


_NOT_CONNECTED = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


@dataclass(frozen=True)
class CallFailure:
    """What a failed call comes to."""

    answer: CallStatus
    reason: str
    code: int | None = None
    retry_after: int | None = None


def classify_failure(error: Exception) -> CallFailure:
    """Whether a call that raised was taken: certainly not, perhaps, or refused for its contents."""
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response):
        return _classify_response(response)
    cause = error.__cause__ if isinstance(error.__cause__, requests.RequestException) else error
    if _was_never_sent(cause):
        return CallFailure(CallStatus.DOWN, "no connection")
    return CallFailure(CallStatus.UNKNOWN, "no answer")


def _classify_response(response: requests.Response) -> CallFailure:
    code = response.status_code
    answer = http_call_status(code)
    if answer is CallStatus.TAKEN:
        # Taken, but what it says cannot be read.
        return CallFailure(CallStatus.UNKNOWN, f"HTTP {code}, unreadable", code)
    wait = retry_after(response.headers.get("Retry-After"))
    return CallFailure(answer, f"HTTP {code}", code, wait)


def _was_never_sent(error: BaseException) -> bool:
    """Whether the connection was not even there. A timeout or a loss later on is ambiguous (E6)."""
    if isinstance(error, _NOT_CONNECTED):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(reason, urllib3.NewConnectionError | urllib3.ConnectTimeoutError):
        return True
    return isinstance(reason, urllib3.SSLError) and "certificate verify" in str(reason).lower()

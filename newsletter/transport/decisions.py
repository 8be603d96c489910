"""What a reply means for one recipient, and when to retry. Pure: codes in, decisions out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Literal

from newsletter.transport.outcomes import Result

Step = Literal["greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "final"]

_ENHANCED_STATUS = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
"""The relay wants us to authenticate, or to do it differently (RFC 4954, 6)."""
_MAX_RETRY_AFTER = 86_400


def enhanced_status(text: bytes) -> str:
    """Return the RFC 3463 status at the start of a reply's text, or "".

    The rest of the text is dropped because it echoes addresses (G1).
    """
    found = _ENHANCED_STATUS.match(text)
    return found[1].decode("ascii") if found else ""


def smtp_result(step: Step, code: int, status: str = "") -> Result | None:
    """Return the result of a refusal at this step, or None if the relay itself is unavailable.

    A permanent refusal of the sender applies to every recipient, so it gives None too: the
    recipients are tried again later, or through the next transport.
    """
    if step in {"greeting", "ehlo", "starttls", "auth"}:
        return None
    if code == 421 or code in _AUTHENTICATION_CODES:
        return None
    if 400 <= code < 500:
        return Result.DEFERRED
    if step == "mail" or not 500 <= code < 600:
        return None
    if step == "rcpt" or status.startswith(("5.1.", "5.2.")):
        return Result.REFUSED
    return Result.FAILED


class CallStatus(Enum):
    """What a provider's HTTP status says about a whole API call."""

    ACCEPTED = "accepted"
    """The response body has the status of each recipient."""
    UNAVAILABLE = "unavailable"
    """Not accepted, for a reason that has nothing to do with the recipients."""
    REJECTED = "rejected"
    """The provider refused something in the call: bisect it to find the recipient (C10)."""
    UNKNOWN = "unknown"
    """A gateway lost the response: the call may have been accepted (E6)."""


_UNAVAILABLE_CODES = frozenset({401, 402, 403, 404, 405, 407, 408, 410, 421, 425, 429})


def http_call_status(code: int) -> CallStatus:
    """Classify the HTTP status code of a provider's response."""
    if 200 <= code < 300:
        return CallStatus.ACCEPTED
    if code in {502, 504}:
        return CallStatus.UNKNOWN
    if 400 <= code < 500 and code not in _UNAVAILABLE_CODES:
        return CallStatus.REJECTED
    return CallStatus.UNAVAILABLE


def retry_after(value: str | None, *, now: datetime | None = None) -> int | None:
    """Return the seconds in a Retry-After header (RFC 9110, 10.2.3), at most a day."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(int(value), _MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(int(seconds), 0), _MAX_RETRY_AFTER)


def backoff(number: int, base_seconds: int) -> int:
    """Return the seconds to wait before round 1, 2, 3 …: doubles each time, up to 16 × the base.

    With the default base of 5 minutes: 5, 10, 20, 40, then 80 minutes.
    """
    return base_seconds << min(max(number, 1) - 1, 4)

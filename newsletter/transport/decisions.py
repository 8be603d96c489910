"""What a reply means for one reader, and when to try again. Pure: codes in, decisions out."""

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
"""The relay wants us to sign in, or otherwise (RFC 4954, 6): nothing that a reader did."""
_MAX_RETRY_AFTER = 86_400


def enhanced_status(text: bytes) -> str:
    """RFC 3463's status at the head of a reply's text, or "". The rest echoes addresses (G1)."""
    found = _ENHANCED_STATUS.match(text)
    return found[1].decode("ascii") if found else ""


def smtp_result(step: Step, code: int, status: str = "") -> Result | None:
    """What a refusal at this step comes to; None: it is the relay that cannot be used now.

    A sender that is refused for good is refused for everyone, so that too is None: the readers
    go on later, or by the next transport.
    """
    if (
        step in {"greeting", "ehlo", "starttls", "auth"}
        or code == 421
        or code in _AUTHENTICATION_CODES
    ):
        return None
    if 400 <= code < 500:
        return Result.DEFERRED
    if step == "mail" or not 500 <= code < 600:
        return None
    if step == "rcpt" or status.startswith(("5.1.", "5.2.")):
        return Result.REFUSED
    return Result.FAILED


class CallStatus(Enum):
    """What a provider's HTTP status says of the whole call."""

    TAKEN = "taken"
    """Its body tells what became of each recipient."""
    DOWN = "down"
    """Not taken, and not because of the recipients."""
    AT_FAULT = "at fault"
    """Something in the call was refused: halve it to find which recipient (C10)."""
    UNKNOWN = "unknown"
    """A gateway lost its answer: it may have been taken (E6)."""


_UNAVAILABLE_CODES = frozenset({401, 402, 403, 404, 405, 407, 408, 410, 421, 425, 429})


def http_call_status(status: int) -> CallStatus:
    if 200 <= status < 300:
        return CallStatus.TAKEN
    if status in {502, 504}:
        return CallStatus.UNKNOWN
    if 400 <= status < 500 and status not in _UNAVAILABLE_CODES:
        return CallStatus.AT_FAULT
    return CallStatus.DOWN


def retry_after(value: str | None, *, now: datetime | None = None) -> int | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), at most a day."""
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
    """Seconds before round 1, 2, 3 …: the base, then twice as long each time, at most 16 times.

    With the default base of 5 minutes: 5, 10, 20, 40, then 80 minutes each.
    """
    return base_seconds << min(max(number, 1) - 1, 4)

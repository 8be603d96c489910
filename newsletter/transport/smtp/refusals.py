"""What a relay says when it doesn't want a connection. Pure; the texts of replies are not kept.

They echo addresses (G1), so only numbers and booleans leave this module.
"""

from __future__ import annotations

import re
import ssl
from typing import NamedTuple

from newsletter.transport.decisions import Step, classify, enhanced_status
from newsletter.transport.outcomes import Fault, TransportDownError
from newsletter.transport.smtp.url import Relay

_LIMIT = rb"too many|maximum|max\b|limit|exceed|concurren"
_NAMES_CONNECTIONS = re.compile(
    rb"(?:%b)[^\n]{0,60}\b(?:connection|session|channel)s?\b"
    rb"|\b(?:connection|session|channel)s?\b[^\n]{0,40}(?:%b)" % (_LIMIT, _LIMIT),
    re.IGNORECASE,
)
_CLOSING = re.compile(rb"\bclos(?:e|es|ed|ing) (?:\w+ )?(?:connection|session|channel)", re.I)
_ANOTHER_LIMIT = re.compile(
    rb"\b(?:messages?|emails|recipients?|commands?|errors|transactions?|idle|lifetime"
    rb"|time ?out|time limit)\b",
    re.IGNORECASE,
)
"""Limits of one connection ("too many messages in this session"), not of their number."""
_RETRY = re.compile(
    rb"\b(?:again|retry|wait|back|delay)\b\D{0,24}?(\d{1,5}) ?"
    rb"(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b",
    re.IGNORECASE,
)
_UNIT_SECONDS = {b"s": 1, b"m": 60, b"h": 3600}
_MAX_RETRY_AFTER = 86_400


class ClosingReply(NamedTuple):
    """What the relay said when it ended the connection (421)."""

    code: int
    status: str
    too_many_connections: bool
    retry_after: int | None

    @property
    def fault(self) -> Fault:
        is_speed = self.too_many_connections or self.status.startswith("4.7.")  # D9
        return Fault.SPEED if is_speed else Fault.RELAY


def closing_reply(code: int, text: bytes) -> ClosingReply:
    return ClosingReply(
        code, enhanced_status(text), names_connection_limit(text), retry_seconds(text)
    )


def reply_summary(code: int, text: bytes) -> str:
    """Return a reply's code and enhanced status. Its text may echo addresses (G1)."""
    return f"{code} {enhanced_status(text)}".rstrip()


def names_connection_limit(text: bytes) -> bool:
    """Return whether a reply says that there are too many connections."""
    text = _CLOSING.sub(b"", text)
    return bool(_NAMES_CONNECTIONS.search(text)) and not _ANOTHER_LIMIT.search(text)


def retry_seconds(text: bytes) -> int | None:
    """Return how long a reply asks us to wait ("try again in 5 minutes"), at most a day."""
    found = _RETRY.search(text)
    if found is None:
        return None
    return min(int(found[1]) * _UNIT_SECONDS[found[2][:1].lower()], _MAX_RETRY_AFTER) or None


def handshake_refusal(relay: Relay, step: Step, code: int, text: bytes) -> TransportDownError:
    """Return the error for a refused greeting, EHLO or STARTTLS."""
    name = "greeting" if step == "greeting" else step.upper()
    return _error(relay, step, name, code, text)


def authentication_refusal(relay: Relay, code: int, text: bytes) -> TransportDownError:
    """Return the error for a refused AUTH. A permanent refusal is the account's fault (D7)."""
    if code >= 500:
        down = _error(relay, "auth", "credentials refused", code, text)
        down.fault = Fault.SENDER
    else:
        down = _error(relay, "auth", "authentication failed", code, text)
        down.fault = Fault.SPEED if down.fault is Fault.SPEED else Fault.RELAY
    return down


def tls_failure(relay: Relay, error: ssl.SSLError) -> TransportDownError:
    """Return the error for a TLS handshake that failed; it says why a certificate isn't valid."""
    reason = f"{relay.redacted_url}: TLS handshake failed"
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"{reason} ({error.verify_message})"
    return TransportDownError(reason)


def _error(relay: Relay, step: Step, reason: str, code: int, text: bytes) -> TransportDownError:
    verdict = classify(step, code, enhanced_status(text), text)
    too_many = names_connection_limit(text) and code < 500
    return TransportDownError(
        f"{relay.redacted_url}: {reason}: {reply_summary(code, text)}",
        code=code,
        status=verdict.status,
        fault=Fault.SPEED if too_many else verdict.fault,
        retry_after=retry_seconds(text),
    )

"""Hands a single email to a member of staff over: an alert, a test, a link for a password."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from newsletter.delivery.sending import transports
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Email, Recipient, Result, TransportDownError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HandOver:
    """What became of it; true if it may have arrived. `reason` says in codes why nothing was sent,
    and names no address."""

    result: Result
    reason: str = ""

    def __bool__(self) -> bool:
        return self.result in {Result.SENT, Result.UNKNOWN}


def hand_over(email: Email, to: Recipient, facts: dict[str, object]) -> HandOver:
    """Send the email through the first transport that takes it. `facts` go into the log."""
    found = HandOver(Result.FAILED, "no transport is configured")
    for transport in transports.configured():
        try:
            with transport.pace.ahead_of_bulk():
                results = list(transport.send(transport.compile(email), [to]))
        except (TransportDownError, CompileError) as error:
            more = {"transport": transport.name, "reason": error}
            log.warning("staff-not-emailed", extra={**facts, **more})
            found = HandOver(Result.FAILED, f"{transport.name}: {error}")
            continue
        for each in results:
            codes = " ".join(str(code) for code in (each.code, each.status) if code)
            found = HandOver(each.result, f"{transport.name}: {codes}".strip(": "))
        if found:
            return found
    return found

"""Hands a single email to a member of staff over: an alert, or a link for choosing a password."""

from __future__ import annotations

import logging

from newsletter.delivery.sending import transports
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Email, Recipient, Result, TransportDownError

log = logging.getLogger(__name__)


def hand_over(email: Email, to: Recipient, facts: dict[str, object]) -> bool:
    """Return whether any transport took the email to a member of staff."""
    for transport in transports.configured():
        try:
            with transport.pace.ahead_of_bulk():
                results = list(transport.send(transport.compile(email), [to]))
        except (TransportDownError, CompileError) as error:
            more = {"transport": transport.name, "reason": error}
            log.warning("staff-not-emailed", extra={**facts, **more})
            continue
        if any(each.result in {Result.SENT, Result.UNKNOWN} for each in results):
            return True
    return False

"""Hand one email over to a member of staff, through the first transport that takes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.delivery.message_ids import delivery_id_factory
from newsletter.delivery.sending import transports
from newsletter.editorial.models import User
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Email, Recipient, Result, TransportDownError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HandOver:
    """What became of it. `reason` says in codes why nothing was sent; it names no address."""

    result: Result
    reason: str = ""

    @property
    def may_have_arrived(self) -> bool:
        return self.result in {Result.SENT, Result.UNKNOWN}


def hand_over(
    email: Email, user: User, *, kind: int, number: int, urls: Mapping[str, str] | None = None
) -> HandOver:
    """Send the email. `kind` and `number` go into its ID (message_ids.delivery_id_factory); `urls`
    fill its placeholders."""
    to = Recipient(
        position=0,
        address=user.email,
        delivery_id=delivery_id_factory(kind, number)(user.pk),
        urls=dict(urls or {}),
    )
    found = HandOver(Result.FAILED, "no transport is configured")
    for transport in transports.configured():
        try:
            with transport.pace.ahead_of_bulk():
                results = list(transport.send(transport.compile(email), [to]))
        except (TransportDownError, CompileError) as error:
            facts = {"kind": kind, "number": number, "transport": transport.name, "reason": error}
            log.warning("staff-email-not-sent", extra=facts)
            found = HandOver(Result.FAILED, f"{transport.name}: {error}")
            continue
        for each in results:
            codes = " ".join(str(code) for code in (each.code, each.status) if code)
            found = HandOver(each.result, f"{transport.name}: {codes}".strip(": "))
        if found.may_have_arrived:
            return found
    return found

"""What SendGrid says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name, suppressed
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    name, reason = event.get("event"), text_of(event.get("reason"))
    if name == "dropped":
        if reason == "Spam Content":
            return Reading(Happened.FAILED)
        return Reading(suppressed(reason))
    status = text_of(event.get("status"))
    if name == "bounce":
        # Without a status, “blocked” may also be a domain without a mail server.
        happened = Happened.BLOCKED if event.get("type") == "blocked" else Happened.HARD
        return Reading(
            _CLASSIFIED.get(text_of(event.get("bounce_classification")), happened), status, reason
        )
    return by_name(_NAMES, name, status, reply=text_of(event.get("response")))


_NAMES = {
    "processed": Happened.ACCEPTED,
    "open": Happened.ACCEPTED,
    "click": Happened.ACCEPTED,
    "delivered": Happened.DELIVERED,
    "deferred": Happened.DELAYED,
    "spamreport": Happened.COMPLAINED,
    "unsubscribe": Happened.UNSUBSCRIBED,
    "group_unsubscribe": Happened.UNSUBSCRIBED,
}
_CLASSIFIED = {
    "Content": Happened.SPAM,
    "Reputation": Happened.BLOCKED,
    "Frequency or Volume Too High": Happened.BLOCKED,
    "Mailbox Unavailable": Happened.SOFT,
}

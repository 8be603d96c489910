"""What Mailgun says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    data = event["event-data"]
    if data.get("event") != "failed":
        return by_name(_NAMES, data.get("event"))
    reason = data.get("reason")
    if reason in _SUPPRESSED:
        return Reading(_SUPPRESSED[reason])
    found = data.get("delivery-status") or {}
    code = found.get("code")
    reply = text_of(found.get("enhanced-code"), found.get("message"), found.get("description"))
    happened = Happened.HARD if data.get("severity") == "permanent" else Happened.SOFT
    if reason == "espblock":
        happened = Happened.BLOCKED
    elif happened is Happened.HARD and reason == "old":
        happened = Happened.SOFT  # it was retried for hours, and given up
    # Codes of three digits beyond SMTP's are Mailgun's own.
    valid = code if isinstance(code, int) and 400 <= code < 600 else None
    return Reading(happened, reply=reply, code=valid)


_NAMES = {
    "accepted": Happened.ACCEPTED,
    "opened": Happened.ACCEPTED,
    "clicked": Happened.ACCEPTED,
    "delivered": Happened.DELIVERED,
    "rejected": Happened.REJECTED,
    "complained": Happened.COMPLAINED,
    "unsubscribed": Happened.UNSUBSCRIBED,
}
_SUPPRESSED = {
    "suppress-bounce": Happened.INACTIVE,
    "suppress-complaint": Happened.COMPLAINED,
    "suppress-unsubscribe": Happened.UNSUBSCRIBED,
}

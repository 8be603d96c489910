"""What Mailtrap says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name, suppressed
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    name = event.get("event")
    if name == "reject":
        return Reading(suppressed(text_of(event.get("reason"))))
    reply = text_of(event.get("response"), event.get("reason"))
    category = text_of(event.get("bounce_category"))
    if name in {"bounce", "soft bounce"} and category in {"spam", "blocked", "policy"}:
        return Reading(Happened.BLOCKED, reply=reply)
    code = event.get("response_code")
    return by_name(_NAMES, name, reply=reply, code=code if isinstance(code, int) else None)


_NAMES = {
    "delivery": Happened.DELIVERED,
    "open": Happened.ACCEPTED,
    "click": Happened.ACCEPTED,
    "bounce": Happened.HARD,
    "soft bounce": Happened.SOFT,
    "spam": Happened.COMPLAINED,
    "unsubscribe": Happened.UNSUBSCRIBED,
    "suspension": Happened.REJECTED,
}

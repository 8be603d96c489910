"""What Postal says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    payload = event.get("payload") or {}
    reply = text_of(payload.get("output"), payload.get("details"))
    if "bounce" in payload:
        # A report by email, whose content Postal doesn't pass on.
        return Reading(Happened.SOFT)
    if "url" in payload:
        return Reading(Happened.ACCEPTED)
    return by_name(_NAMES, payload.get("status"), reply=reply)


_NAMES = {
    "Sent": Happened.DELIVERED,
    "Held": Happened.ACCEPTED,
    "SoftFail": Happened.DELAYED,
    "HardFail": Happened.HARD,
}

"""What Resend says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    if event.get("type") != "email.bounced":
        return by_name(_NAMES, event.get("type"))
    bounce = event["data"].get("bounce") or {}
    words = text_of(bounce.get("message"))
    subtype = bounce.get("subType")
    if subtype in {"Suppressed", "OnAccountSuppressionList"} or "suppressed sending" in words:
        return Reading(Happened.INACTIVE)
    if subtype in {"ContentRejected", "AttachmentRejected", "MessageTooLarge"}:
        return Reading(Happened.SPAM)
    is_hard = bounce.get("type") == "Permanent" or "hard bounce" in words
    return Reading(
        Happened.HARD if is_hard else Happened.SOFT, "5.1.1" if subtype == "NoEmail" else ""
    )


_NAMES = {
    "email.sent": Happened.ACCEPTED,
    "email.opened": Happened.ACCEPTED,
    "email.clicked": Happened.ACCEPTED,
    "email.delivered": Happened.DELIVERED,
    "email.delivery_delayed": Happened.DELAYED,
    "email.complained": Happened.COMPLAINED,
    "email.suppressed": Happened.INACTIVE,
    "email.failed": Happened.REJECTED,
}

"""What MailerSend says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    data = event["data"]
    morph = data.get("morph") or {}
    reply = text_of(morph.get("reason"), morph.get("readable_reason"))
    return by_name(_NAMES, data.get("type"), reply=reply)


_NAMES = {
    "sent": Happened.ACCEPTED,
    "opened": Happened.ACCEPTED,
    "clicked": Happened.ACCEPTED,
    "delivered": Happened.DELIVERED,
    "hard_bounced": Happened.HARD,
    "soft_bounced": Happened.SOFT,
    "spam_complaint": Happened.COMPLAINED,
    "unsubscribed": Happened.UNSUBSCRIBED,
}

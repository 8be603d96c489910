"""What Brevo says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    return by_name(_NAMES, event.get("event"), reply=text_of(event.get("reason")))


_NAMES = {
    "request": Happened.ACCEPTED,
    "delivered": Happened.DELIVERED,
    "hard_bounce": Happened.HARD,
    "invalid_email": Happened.HARD,
    "soft_bounce": Happened.SOFT,
    "deferred": Happened.DELAYED,
    "blocked": Happened.REJECTED,
    "error": Happened.FAILED,
    "spam": Happened.COMPLAINED,
    "complaint": Happened.COMPLAINED,
    "unsubscribe": Happened.UNSUBSCRIBED,
    **dict.fromkeys(
        ("opened", "unique_opened", "proxy_open", "unique_proxy_open", "click"), Happened.ACCEPTED
    ),
}

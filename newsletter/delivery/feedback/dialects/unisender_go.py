"""What Unisender Go says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    name, info = event.get("status"), event.get("delivery_info") or {}
    if name not in {"soft_bounced", "hard_bounced"}:
        return by_name(_NAMES, name)
    reason = text_of(info.get("delivery_status"))
    happened = Happened.HARD if name == "hard_bounced" else Happened.SOFT
    happened = _REASONS.get(reason, happened)
    return Reading(
        happened, _STATUS.get(reason, ""), reply=text_of(info.get("destination_response"))
    )


_NAMES = {
    "sent": Happened.ACCEPTED,
    "opened": Happened.ACCEPTED,
    "clicked": Happened.ACCEPTED,
    "delivered": Happened.DELIVERED,
    "spam": Happened.COMPLAINED,
    "unsubscribed": Happened.UNSUBSCRIBED,
}
_REASONS = {
    "err_will_retry": Happened.DELAYED,
    "err_mailbox_full": Happened.SOFT,
    "err_spam_rejected": Happened.SPAM,
    "err_spam_skipped": Happened.SPAM,
    "err_too_large": Happened.SPAM,
    "err_blacklisted": Happened.BLOCKED,
    "err_destination_misconfigured": Happened.SOFT,
    "err_skip_letter": Happened.REJECTED,
    "err_lost": Happened.REJECTED,
    "err_unsubscribed": Happened.UNSUBSCRIBED,
}
_STATUS = {
    "err_user_unknown": "5.1.1",
    "err_user_inactive": "5.2.1",
    "err_domain_inactive": "5.1.2",
}

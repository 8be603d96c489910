"""What Mandrill says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    name, message = event.get("event"), event.get("msg") or {}
    if name == "reject":
        reject = message.get("reject") or event.get("reject") or {}
        return Reading(_REJECTED.get(text_of(reject.get("reason")), Happened.REJECTED))
    about = text_of(message.get("bounce_description"))
    reply = text_of(message.get("diag"))
    if name in {"hard_bounce", "soft_bounce"} and about in {"spam", "policy_related"}:
        return Reading(Happened.SPAM if about == "spam" else Happened.BLOCKED, reply=reply)
    return by_name(_NAMES, name, _STATUS.get(about, ""), reply=reply)


_NAMES = {
    "send": Happened.ACCEPTED,
    "open": Happened.ACCEPTED,
    "click": Happened.ACCEPTED,
    "deferral": Happened.DELAYED,
    "hard_bounce": Happened.HARD,
    "soft_bounce": Happened.SOFT,
    "spam": Happened.COMPLAINED,
    "unsub": Happened.UNSUBSCRIBED,
}
_STATUS = {"bad_mailbox": "5.1.1", "invalid_domain": "5.1.2", "mailbox_full": "5.2.2"}
_REJECTED = {
    "hard-bounce": Happened.INACTIVE,
    "invalid": Happened.INACTIVE,
    "spam": Happened.COMPLAINED,
    "unsub": Happened.UNSUBSCRIBED,
}

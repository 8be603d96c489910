"""What SparkPost says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name, suppressed
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    [own] = event["msys"].values()
    name, reply = own.get("type"), text_of(own.get("raw_reason"), own.get("reason"))
    if name == "spam_complaint":
        return None if own.get("fbtype") == "not-spam" else Reading(Happened.COMPLAINED)
    if name == "policy_rejection":
        return Reading(Happened.INACTIVE if "suppress" in reply.lower() else suppressed(reply))
    if name not in {"bounce", "out_of_band"}:
        return by_name(_NAMES, name)
    number = str(own.get("bounce_class"))
    if number in _IGNORED:
        return None
    code = str(own.get("error_code") or "")
    valid = int(code) if code.isdecimal() and 400 <= int(code) < 600 else None
    return Reading(_CLASSES.get(number, Happened.SOFT), _STATUS.get(number, ""), reply, valid)


_NAMES = {
    "injection": Happened.ACCEPTED,
    "open": Happened.ACCEPTED,
    "initial_open": Happened.ACCEPTED,
    "click": Happened.ACCEPTED,
    "delivery": Happened.DELIVERED,
    "delay": Happened.DELAYED,
    "generation_failure": Happened.FAILED,
    "generation_rejection": Happened.FAILED,
    "list_unsubscribe": Happened.UNSUBSCRIBED,
    "link_unsubscribe": Happened.UNSUBSCRIBED,
}
_CLASSES = {
    "10": Happened.HARD,
    "30": Happened.HARD,
    "23": Happened.SPAM,
    "25": Happened.BLOCKED,
    "50": Happened.BLOCKED,
    "51": Happened.SPAM,
    "52": Happened.SPAM,
    "53": Happened.SPAM,
    "54": Happened.BLOCKED,
    "90": Happened.UNSUBSCRIBED,
}
"""Bounce classes. The others (1, 20, 21, 22, 24, 40, 70) are soft."""
_STATUS = {"10": "5.1.1", "22": "5.2.2"}
_IGNORED = frozenset({"60", "80", "100"})
"""Auto-replies, subscriptions and challenges."""

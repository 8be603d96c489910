"""What Mailjet says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    name, error = event.get("event"), text_of(event.get("error"))
    if name not in {"bounce", "blocked"}:
        return by_name(_NAMES, name)
    if name == "blocked":
        return Reading(_BLOCKED.get(error, Happened.REJECTED))
    reply = text_of(event.get("smtp_reply"), event.get("comment"))
    if error in {"sender blocked", "policy issue", "relay/access denied", "preblocked"}:
        return Reading(Happened.BLOCKED, reply=reply)
    if error == "content blocked":
        return Reading(Happened.SPAM, reply=reply)
    happened = Happened.HARD if event.get("hard_bounce") in {True, "1"} else Happened.SOFT
    return Reading(happened, _STATUS.get(error, ""), reply)


_NAMES = {
    "sent": Happened.DELIVERED,
    "open": Happened.ACCEPTED,
    "click": Happened.ACCEPTED,
    "spam": Happened.COMPLAINED,
    "unsub": Happened.UNSUBSCRIBED,
}
_BLOCKED = {
    "user unknown": Happened.INACTIVE,
    "mailbox inactive": Happened.INACTIVE,
    "invalid domain": Happened.INACTIVE,
    "no mail host": Happened.INACTIVE,
    "typofix": Happened.INACTIVE,
    "preblocked": Happened.INACTIVE,
    "spam reporter": Happened.COMPLAINED,
}
_STATUS = {
    "user unknown": "5.1.1",
    "mailbox inactive": "5.2.1",
    "quota exceeded": "5.2.2",
    "invalid domain": "5.1.2",
    "no mail host": "5.1.2",
    "typofix": "5.1.3",
}

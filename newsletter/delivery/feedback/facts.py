"""What a provider's event says about one recipient, in our own vocabulary. Pure.

Anymail's normalised events look the same for hard and soft bounces, so each provider's own fields
decide (D1; newsletter.delivery.feedback.dialects). What the recipient's server replied is read in
memory for its codes and a few words, and its text goes no further (G1).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from newsletter.delivery.models import Event
from newsletter.transport.decisions import classify_report
from newsletter.transport.outcomes import Fault

Kind = Event.Kind


class Happened(Enum):
    """What happened to an email, as its provider classifies it."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    """The provider has the message, or the reader did something with it: it was sent."""
    HARD = "hard bounce"
    SOFT = "soft bounce"
    DELAYED = "delayed"
    """A temporary refusal; the provider is still trying."""
    BLOCKED = "blocked"
    """Refused because of our reputation or the provider's account: not the reader's fault."""
    SPAM = "spam"
    """Refused or filtered because of what the message is: its content, its size."""
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    INACTIVE = "inactive"
    """The provider no longer sends to the address, because it bounced before (D5, D7)."""
    REJECTED = "rejected"
    """The provider didn't send it, for a reason that isn't the reader's."""
    FAILED = "failed"
    """The provider couldn't make or accept the message."""


_MEANING = {
    Happened.DELIVERED: (Kind.DELIVERED, Fault.NONE),
    Happened.ACCEPTED: (Kind.ACCEPTED, Fault.NONE),
    Happened.HARD: (Kind.BOUNCED, Fault.READER),
    Happened.SOFT: (Kind.DEFERRED, Fault.READER),
    Happened.DELAYED: (Kind.DEFERRED, Fault.READER),
    Happened.BLOCKED: (Kind.BOUNCED, Fault.SENDER),
    Happened.SPAM: (Kind.BOUNCED, Fault.MESSAGE),
    Happened.COMPLAINED: (Kind.COMPLAINED, Fault.READER),
    Happened.UNSUBSCRIBED: (Kind.UNSUBSCRIBED, Fault.NONE),
    Happened.INACTIVE: (Kind.REJECTED, Fault.READER),
    Happened.REJECTED: (Kind.REJECTED, Fault.SENDER),
    Happened.FAILED: (Kind.REJECTED, Fault.MESSAGE),
}
_REFUSALS = frozenset({Kind.BOUNCED, Kind.DEFERRED})


class Reading(NamedTuple):
    """The provider's own classification of an event.

    `status` is the enhanced status that the provider states or that its own words imply, and
    `reply` the text of the recipient's server.
    """

    happened: Happened
    status: str = ""
    reply: str = ""
    code: int | None = None


class Facts(NamedTuple):
    """What is kept of an event."""

    kind: Event.Kind
    code: int | None = None
    status: str = ""
    fault: Fault = Fault.NONE


_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")


def facts_of(reading: Reading) -> Facts:
    """Combine the provider's classification with what the recipient's server replied (D7).

    The reply decides whose fault a refusal is. It makes no soft bounce hard, and a hard one soft
    only if it speaks of a full mailbox or of a temporary failure.
    """
    kind, fault = _MEANING[reading.happened]
    if kind not in _REFUSALS:
        return Facts(kind, fault=fault)
    status = reading.status or _first(_STATUS, reading.reply)
    code = reading.code or int(_first(_CODE, reading.reply) or 0) or None
    replied = classify_report(code, status, reading.reply)
    if fault is Fault.READER and replied.fault is not Fault.NONE:
        fault = replied.fault
    if reading.happened is Happened.HARD and replied.is_soft:
        kind = Kind.DEFERRED
    return Facts(kind, code, status, fault)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def text_of(*parts: object) -> str:
    """Join what is text among the parts; providers leave fields out or send null."""
    return " ".join(part for part in parts if isinstance(part, str))

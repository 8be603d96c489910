"""What the dialects share: looking a word up, and reading a sentence about a suppressed address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.delivery.feedback.facts import Happened, Reading

Raw = Mapping[str, Any]


def by_name(
    table: Mapping[str, Happened], name: object, status: str = "", **found: Any
) -> Reading | None:
    happened = table.get(name) if isinstance(name, str) else None
    return None if happened is None else Reading(happened, status, **found)


def suppressed(reason: str) -> Happened:
    """Return why a provider refuses to send to an address, from the sentence it gives."""
    words = reason.lower()
    if "unsubscri" in words:
        return Happened.UNSUBSCRIBED
    if "complain" in words or "reporting" in words:
        return Happened.COMPLAINED
    return Happened.INACTIVE if "bounce" in words or "invalid" in words else Happened.REJECTED

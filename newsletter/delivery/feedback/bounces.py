"""When bounces suppress a reader (D2). Pure: rows in, a decision out.

The decision depends on what is stored, not on the order in which events arrived, so it may be
taken again whenever a bounce comes in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault

HARD_DAYS = 3
"""Hard bounces that don't say that the address is wrong: on so many days."""
SOFT_ISSUES = 4
SOFT_SPAN = timedelta(days=28)
MEMORY = timedelta(days=180)
"""How long a bounce counts, and is kept; a monthly newsletter has six issues in this time."""

_NOT_ABOUT_THE_ADDRESS = frozenset({"5.1.7", "5.1.8", "5.1.90"})
"""These are about the sender's address."""


class Bounce(NamedTuple):
    """A stored bounce that is the reader's fault. `mailing_id` is None once its mailing is closed;
    closed mailings are the oldest."""

    kind: str
    mailing_id: int | None
    on: date


def suppresses_at_once(kind: str, fault: Fault, status: str) -> bool:
    """Return whether one event is enough: the address is wrong, or the provider gave it up.

    A hard bounce without a status is a bare 550, or the provider's own word for a wrong address.
    """
    if fault is not Fault.READER:
        return False
    if kind in {Event.Kind.COMPLAINED, Event.Kind.REJECTED}:
        return True
    is_about_address = not status or status.startswith("5.1.")
    return kind == Event.Kind.BOUNCED and is_about_address and status not in _NOT_ABOUT_THE_ADDRESS


def bounced_too_often(bounces: Sequence[Bounce], delivered: Collection[int]) -> bool:
    """Return whether the reader's bounces suffice. `delivered` are the mailings that arrived.

    A day counts once, and so does an issue, however often its delivery was tried.
    """
    hard = {bounce.on for bounce in bounces if bounce.kind == Event.Kind.BOUNCED}
    if len(hard) >= HARD_DAYS:
        return True
    days = _days_of_consecutive_issues(bounces, delivered)
    return len(days) >= SOFT_ISSUES and max(days) - min(days) >= SOFT_SPAN


def _days_of_consecutive_issues(bounces: Sequence[Bounce], delivered: Collection[int]) -> set[date]:
    """Return the day of the first bounce of each issue since the last one that arrived."""
    last_delivered = max(delivered, default=None)
    first_days: dict[int, date] = {}
    days: set[date] = set()
    for mailing_id, on in sorted((b.mailing_id or 0, b.on) for b in bounces):
        if mailing_id in delivered or (last_delivered is not None and mailing_id < last_delivered):
            continue
        if mailing_id:
            first_days.setdefault(mailing_id, on)
        else:
            days.add(on)
    return days | set(first_days.values())

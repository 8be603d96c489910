"""How many messages an hour, a day or a warm-up still allows.

Use is counted in slots of five minutes, and a limit applies to any hour or day and not
only to those of the calendar: a provider may count either way. A warm-up goes by days (UTC),
because it grows with each day on which something was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import time
from typing import NamedTuple, Protocol

from newsletter.transport.pace.limits import SECONDS, Limits, Rate

SLOT_SECONDS = 300
_DAY = SECONDS["d"]
_LARGEST_SHARE = 50
"""At most this many are taken at a time, so that little is lost if a worker dies."""
BULK_LEAVES = 0.1
"""The part of each limit that bulk leaves to single emails."""


@dataclass
class Usage:
    """What a transport has handed over: `slots` maps a slot's number to a count.

    `days` is how many days with sending there were before `day`, the last one.
    """

    slots: dict[int, int] = field(default_factory=dict)
    days: int = 0
    day: int = 0

    def since(self, seconds: int, now: float) -> int:
        """Return the count of the last `seconds`, up to a slot more."""
        first = int(now - seconds) // SLOT_SECONDS
        return sum(count for slot, count in self.slots.items() if slot >= first)

    def today(self, now: float) -> int:
        """Return the count of the current day (UTC)."""
        first = int(now) // _DAY * _DAY // SLOT_SECONDS
        return sum(count for slot, count in self.slots.items() if slot >= first)

    def add(self, count: int, now: float) -> None:
        """Count messages that are about to be handed over, and drop old slots."""
        day, slot = int(now) // _DAY, int(now) // SLOT_SECONDS
        if day > self.day:
            self.days += 1 if self.day else 0
            self.day = day
        self.slots[slot] = self.slots.get(slot, 0) + count
        oldest = slot - _DAY // SLOT_SECONDS - 1
        self.slots = {each: kept for each, kept in self.slots.items() if each >= oldest}


class Share(NamedTuple):
    """How many messages may be handed over; if none, which limit was reached, and for how long."""

    size: int
    limit: str = ""
    wait: float = 0.0


def take(usage: Usage, limits: Limits, now: float, *, urgent: bool) -> Share:
    """Take a share of what is left and count it in `usage`. Bulk leaves a tenth, at least one."""
    share = _LARGEST_SHARE
    for limit, most, used, wait in _states(usage, limits, now):
        reserve = 0 if urgent else min(max(1, int(most * BULK_LEAVES)), most - 1)
        left = most - reserve - used
        if left <= 0:
            return Share(0, limit, wait)
        # Many small shares near the end: what one worker doesn't use is lost to the others.
        share = min(share, max(1, left // 10))
    usage.add(share, now)
    return Share(share)


def _states(usage: Usage, limits: Limits, now: float) -> Iterator[tuple[str, int, int, float]]:
    """Yield each limit, its number, what of it is used, and the seconds until it has room again."""
    for rate in limits.allowances:
        yield str(rate), rate.count, usage.since(rate.seconds, now), _until_room(usage, rate, now)
    if limits.warm_up is not None:
        today = int(now) // _DAY
        earlier = usage.days + (1 if 0 < usage.day < today else 0)
        most = limits.warm_up.on_day(earlier)
        yield f"{most}/d (warm-up)", most, usage.today(now), _DAY - now % _DAY


def _until_room(usage: Usage, rate: Rate, now: float) -> float:
    """Return the seconds until the oldest slot that counts no longer does."""
    first = int(now - rate.seconds) // SLOT_SECONDS
    counted = [slot for slot, count in usage.slots.items() if slot >= first and count]
    if not counted:
        return 0.0
    return max((min(counted) + 1) * SLOT_SECONDS + rate.seconds - now, 1.0)


class Allowance(Protocol):
    """Where usage is kept."""

    def take(self, limits: Limits, *, urgent: bool) -> Share:
        """Take a share of what is left of the limits."""
        ...

    def note(self, count: int) -> None:
        """Count messages that were handed over without a limit."""
        ...

    def write(self) -> None:
        """Make what was noted known to other processes."""
        ...

    def today(self) -> int:
        """Return how many were handed over today."""
        ...


class PrivateAllowance:
    """Usage that only this process knows."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self.usage = Usage()
        self._clock = clock

    def take(self, limits: Limits, *, urgent: bool) -> Share:
        return take(self.usage, limits, self._clock(), urgent=urgent)

    def note(self, count: int) -> None:
        self.usage.add(count, self._clock())

    def write(self) -> None:
        """Nobody else can know it."""

    def today(self) -> int:
        return self.usage.today(self._clock())

"""How many connections a relay allows us, as learned from its refusals. Pure: the clock is passed.

Relays don't announce their limit, and other processes use up a part of it. So a connection that is
refused while others are served lowers the number, and after a while one more is tried (D9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

HOLD_SECONDS = 600.0
"""How long a lowered limit is kept before one more connection is tried."""
RECENT_SECONDS = 60.0
"""How long after it served us a relay that refuses every connection counts as busy, not down."""


class LearnedLimit(NamedTuple):
    """A limit as other processes can use it: ages, because clocks differ (E8)."""

    connections: int
    lowered_ago: float | None
    served_ago: float | None

    @classmethod
    def aged(cls, learned: Mapping[str, Any], seconds: float) -> LearnedLimit:
        """Return what `_asdict` gave another process so many seconds ago."""
        ages = (learned["lowered_ago"], learned["served_ago"])
        return cls(
            int(learned["connections"]), *(None if age is None else age + seconds for age in ages)
        )


class ConnectionLimit:
    """The most connections that one process opens to a relay. Times are in monotonic seconds."""

    def __init__(self, configured: int) -> None:
        self.configured = configured
        self.current = configured
        self.lowered_at: float | None = None
        self.served_at: float | None = None
        self._hold = HOLD_SECONDS

    def allowed(self, now: float) -> int:
        """Return how many connections may be open: one more than `current` to try it again."""
        if self.lowered_at is None or now < self.lowered_at + self._hold:
            return self.current
        return min(self.current + 1, self.configured)

    def lowered(self, remaining: int, now: float) -> None:
        """A connection was refused while `remaining` others were open.

        If none was, other processes may hold them all. That says nothing about how many we can
        have, so the next one is tried as soon as we have one.
        """
        self.current = max(1, min(self.current, remaining))
        self.lowered_at = now
        self._hold = HOLD_SECONDS if remaining else 0.0

    def accepted(self, count: int) -> None:
        """The relay has accepted messages on `count` connections that are open."""
        self.current = max(self.current, min(count, self.configured))
        if self.current == self.configured:
            self.lowered_at = None

    def served_recently(self, now: float) -> bool:
        return self.served_at is not None and now < self.served_at + RECENT_SECONDS

    def learned(self, now: float) -> LearnedLimit:
        """Return what other processes can adopt, and what an operator wants to see."""
        return LearnedLimit(self.current, _age(self.lowered_at, now), _age(self.served_at, now))

    def adopt(self, other: LearnedLimit, now: float) -> None:
        """Use what another process has learned.

        Its number is adopted only until the relay has served this process too: what one process
        was left with says little about the share of another.
        """
        is_new_here = self.served_at is None
        if other.served_ago is not None:
            served_at = now - other.served_ago
            self.served_at = max(self.served_at or served_at, served_at)
        lowered_ago = other.lowered_ago
        is_lower = is_new_here and other.connections < self.current
        if is_lower and lowered_ago is not None and lowered_ago < HOLD_SECONDS:
            self.current, self._hold = max(1, other.connections), HOLD_SECONDS
            self.lowered_at = now - lowered_ago


def _age(moment: float | None, now: float) -> float | None:
    return None if moment is None else now - moment

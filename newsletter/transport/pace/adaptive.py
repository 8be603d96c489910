"""The rate that a relay or provider turns out to accept: halved when it refuses, then grown. Pure.

The *ceiling* is the rate at which it last refused something. Below it the limit grows quickly,
near it slowly, so that it is found again without one refusal after another. Well above it the limit
grows quickly again, and is dropped at twice the ceiling: whatever was in the way is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_CUT, LATER_CUT = 0.5, 0.85
"""The ceiling is a guess at first, and known after that."""
NEAR, BEYOND, GONE = 0.95, 1.15, 2.0
"""Parts of the ceiling: up to NEAR the limit grows quickly, between NEAR and BEYOND slowly."""
QUICK, SLOW = 0.25, 0.008
"""Growth a second, as parts of the ceiling."""
CEILING_DECAY = 0.9
"""A refusal lowers the ceiling by a tenth at most: one that comes early says little."""
SAME_REFUSAL_SECONDS = 0.9
"""Refusals of messages that were in flight together count once."""
FIRST_PAUSE, MAX_PAUSE = 1.0, 15.0
"""How long to pause if the reply doesn't say: doubled while nothing is accepted in between."""
MIN_LIMIT = 0.2
_MAX_GROWTH_SECONDS = 1.0
"""A pause in sending says nothing about what would have been accepted."""


@dataclass
class AdaptiveRate:
    """`limit` is in messages (or a provider's calls) a second; 0 while there is none.

    `resume_at` is when the next may be started. All times are in monotonic seconds.
    """

    limit: float = 0.0
    ceiling: float = 0.0
    resume_at: float = 0.0
    _cut_at: float = float("-inf")
    _grown_at: float = 0.0
    _pause: float = FIRST_PAUSE
    _refused_in_a_row: bool = False

    def accepted(self) -> None:
        """Note that something was accepted."""
        self._refused_in_a_row = False

    def refused(self, now: float, *, measured: float, retry_after: float | None = None) -> bool:
        """Slow down: `measured` is what was accepted in the last second.

        Returns False if the refusal belongs to one that was just counted. While nothing was ever
        accepted there is nothing to halve, so it only pauses.
        """
        if now - self._cut_at < SAME_REFUSAL_SECONDS:
            self.resume_at = max(self.resume_at, now + (retry_after or FIRST_PAUSE / 4))
            return False
        if measured and not self._refused_in_a_row:
            cut = LATER_CUT if self.ceiling else FIRST_CUT
            # A relay that refuses long before the ceiling has lowered its limit.
            self.ceiling = max(measured, min(self.ceiling, self.limit) * CEILING_DECAY)
            self.limit = max(self.ceiling * cut, MIN_LIMIT)
            self._pause = FIRST_PAUSE
        elif self._refused_in_a_row:
            self._pause = min(self._pause * 2, MAX_PAUSE)
            self.limit = self.limit and max(self.limit / 2, MIN_LIMIT)
        self._refused_in_a_row = True
        self._cut_at = self._grown_at = now
        self.resume_at = max(self.resume_at, now + (retry_after or self._pause))
        return True

    def grow(self, now: float) -> None:
        """Raise the limit for the time since the last call."""
        if not self.limit:
            return
        seconds = min(max(now - max(self._grown_at, self.resume_at), 0.0), _MAX_GROWTH_SECONDS)
        self._grown_at = now
        slow = NEAR * self.ceiling <= self.limit < BEYOND * self.ceiling
        self.limit += (SLOW if slow else QUICK) * self.ceiling * seconds
        if self.limit >= GONE * self.ceiling:
            self.limit = self.ceiling = 0.0

    def adopt(self, now: float, *, limit: float, ceiling: float, pause: float) -> None:
        """Take over what another process has learned."""
        if limit and (limit < self.limit or not self.limit):
            self._cut_at = now
        self.limit, self.ceiling, self._grown_at = limit, ceiling, now
        self.resume_at = max(self.resume_at, now + pause)

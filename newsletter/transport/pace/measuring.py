"""How fast a relay or provider accepts messages, and what follows for the permission to send."""

from __future__ import annotations

from dataclasses import dataclass

_SLOT_SECONDS = 0.25
_SLOTS = 16
_SHORTEST = 1.0
"""Seconds. A slow relay, too, accepts a message on each connection at once, and that says nothing
about a whole second."""


@dataclass(frozen=True)
class PaceReport:
    """What an operator is shown. Rates are in messages (or a provider's calls) a second."""

    limits: dict[str, str]
    """The limits of the URL, as they are written there."""
    measured: float
    learned: float
    """The rate that the relay or provider turned out to accept; 0 if it accepts all."""
    waiting: float
    """Seconds until it may be used again."""
    today: int


class Meter:
    """Counts events and gives their rate over the last seconds. `now` is in monotonic seconds."""

    def __init__(self) -> None:
        self.total = 0
        self._counts = [0] * _SLOTS
        self._started = 0.0
        self._slot = -_SLOTS * 2
        """The number of the current slot, counted from the clock's zero."""

    def add(self, count: int, now: float) -> None:
        """Count events that happen now."""
        self._move_to(now)
        self._counts[self._slot % _SLOTS] += count
        self.total += count

    def rate(self, now: float, *, seconds: float = _SLOT_SECONDS * (_SLOTS - 1)) -> float:
        """Return the events per second over about the last `seconds`; 0 if there were none."""
        self._move_to(now)
        slots = min(int(seconds / _SLOT_SECONDS), _SLOTS - 1)
        counted = sum(self._counts[(self._slot - back) % _SLOTS] for back in range(slots + 1))
        elapsed = slots * _SLOT_SECONDS + now % _SLOT_SECONDS
        return counted / max(min(elapsed, now - self._started), _SHORTEST)

    def in_last_second(self, now: float) -> float:
        """Return the rate over the last second, also if events started only just now.

        A relay that takes 14 a second accepts them within a few milliseconds, and that says
        nothing about thousands a second.
        """
        self._move_to(now)
        slots = round(1 / _SLOT_SECONDS)
        counts = [self._counts[(self._slot - back) % _SLOTS] for back in range(slots + 1)]
        return sum(counts[:-1]) + counts[-1] * (1 - now % _SLOT_SECONDS / _SLOT_SECONDS)

    def _move_to(self, now: float) -> None:
        """Empty the slots that have passed since the last event."""
        slot = int(now / _SLOT_SECONDS)
        if slot == self._slot:
            return
        if slot - self._slot >= _SLOTS:
            self._counts = [0] * _SLOTS
            self._started = now
        else:
            for passed in range(self._slot + 1, slot + 1):
                self._counts[passed % _SLOTS] = 0
        self._slot = slot


MIN_SECONDS = 0.25
"""A permission covers this long at least. By the commit alone, small steps would slow the sender
down, and the low rate would keep the steps small."""


def permission_step(
    rate: float,
    commit_latency: float,
    connections: int,
    maximum: int,
    *,
    window: int | None = None,
) -> int:
    """Return how many readers the next permission should cover.

    Twice as many as are accepted while the permission commits, so that the sender needn't wait
    for it, or as many as in MIN_SECONDS, and at least one for each connection. What is permitted
    but not accepted is in doubt after a crash, so a slow relay gets few. Nothing measured yet
    (`rate` 0) gives the least; the rate then grows with each step. A provider
    with a `window` has its calls in flight and nothing more.
    """
    if window is not None:
        return window
    covered = round(rate * max(2 * commit_latency, MIN_SECONDS))
    return max(1, min(max(covered, connections), maximum))

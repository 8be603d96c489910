"""A clock that tests move."""

from __future__ import annotations

from collections import deque

from newsletter.transport.pace import Pace


class Clock:
    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Limiter:
    """Accepts at most `limit` in any `seconds`."""

    def __init__(self, clock: Clock, limit: int, seconds: float = 1.0) -> None:
        self.accepted: list[float] = []
        self.refused: list[float] = []
        self._clock, self._limit, self._seconds = clock, limit, seconds
        self._recent: deque[float] = deque()

    def accepts(self) -> bool:
        now = self._clock()
        while self._recent and self._recent[0] <= now - self._seconds:
            self._recent.popleft()
        (self.refused if len(self._recent) >= self._limit else self.accepted).append(now)
        if self.accepted[-1:] != [now] or len(self._recent) >= self._limit:
            return False
        self._recent.append(now)
        return True


def busiest(moments: list[float], seconds: float) -> int:
    """Return how many moments lie in the busiest window of this length."""
    return max(sum(start <= each < start + seconds for each in moments) for start in moments)


def hand_over(pace: Pace, clock: Clock, limiter: Limiter, count: int) -> float:
    """Hand over `count` messages, each as soon as the pace allows; return the seconds taken."""
    started, done = clock.now, 0
    pace.begin()
    while done < count:
        seconds = pace.wait()
        if seconds:
            clock.sleep(min(seconds, 0.1))
        elif limiter.accepts():
            pace.accepted(1)
            done += 1
        else:
            pace.refused()
        clock.sleep(0.001)
    return clock.now - started

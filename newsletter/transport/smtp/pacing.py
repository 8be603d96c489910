"""Which waiting message an event loop may start now, and what becomes of one refused for speed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

from newsletter.transport.outcomes import Fault, Result, SendResult, TransportDownError
from newsletter.transport.pace import Pace
from newsletter.transport.pace.pace import is_about_speed
from newsletter.transport.smtp.engine import Engine
from newsletter.transport.smtp.message import Message


class Gate:
    """Stands between the waiting messages of one call and the connections.

    A message that the relay refused for our speed was provably not accepted, so it goes back among
    the `waiting`. One whose mailbox provider has used up its rate is set aside, so that others go
    first. If half of what may be pending is set aside, `on_result` gets some of them as deferred.
    """

    def __init__(
        self,
        pace: Pace,
        waiting: deque[Message],
        on_result: Callable[[SendResult], None],
        *,
        max_pending: Callable[[], int],
    ) -> None:
        self.down: TransportDownError | None = None
        """Set once the relay has accepted nothing for as long as this call may wait."""
        self._pace, self._waiting, self._on_result = pace, waiting, on_result
        self._max_pending = max_pending
        self._refused_at: dict[int, float] = {}
        self._counted = 0
        """How many of the results not yet yielded were measured already."""
        self._aside: deque[Message] = deque()
        self._aside_until = 0.0
        self.is_admitted = False
        """Whether the first waiting message may start; reset it once that has started."""
        self._look_at = 0.0

    def release(self) -> None:
        """Put what was set aside back among the waiting once its time has come."""
        if self._aside and monotonic() >= self._aside_until:
            self._waiting.extendleft(reversed(self._aside))
            self._aside.clear()

    def admits_first(self) -> bool:
        """Return whether the first waiting message may start; it may have been set aside."""
        if self.is_admitted:
            return True
        now = monotonic()
        if now < self._look_at:
            return False
        seconds = self._pace.wait()
        if seconds:
            self._look_at = now + seconds
            self.down = self.down or self._pace.too_long()
            return False
        group = self._pace.group_of(self._waiting[0].rcpt.decode())
        seconds = self._pace.wait_for_group(group) if group else 0.0
        if seconds:
            self._pace.put_back()
            self._set_aside(self._waiting.popleft(), now + seconds)
            return False
        self.is_admitted = True
        return True

    def count(self, results: list[SendResult]) -> None:
        """Measure how fast messages are accepted: `results` are about to be yielded."""
        accepted = [result.result for result in results].count(Result.SENT) - self._counted
        self._counted = 0
        if accepted:
            self._pace.accepted(accepted)

    def take_back(self, engine: Engine, unyielded: list[SendResult]) -> None:
        """Put the messages that the relay refused for our speed on this connection back."""
        # What was accepted just before says how fast was too fast.
        self.count([*unyielded, *engine.results])
        self._counted = [result.result for result in (*unyielded, *engine.results)].count(
            Result.SENT
        )
        final = []
        for result in engine.results:
            message = engine.deferred.pop(result.position, None)
            if message is None or not is_about_speed(result) or not self._tries_again(message):
                final.append(result)
        engine.results[:] = final

    def closed(self, reason: str) -> None:
        """Slow down if the relay closed a connection because of our speed."""
        if "421 4.7." in reason:
            self._pace.refused()

    def poll_seconds(self, longest: float) -> float:
        """Return how long to wait for the relay before the next look, at most `longest`."""
        if self._pace.free:
            return longest
        due = min(self._look_at, self._aside_until) if self._aside else self._look_at
        return max(min(due - monotonic(), longest), 0.001) if due else longest

    def _tries_again(self, message: Message) -> bool:
        now = monotonic()
        self._pace.refused()
        self._look_at = 0.0
        self.is_admitted = False
        refused_at = self._refused_at.setdefault(message.position, now)
        if now - refused_at < self._pace.max_wait:
            message.reset()
            self._waiting.appendleft(message)
            return True
        return False

    def _set_aside(self, message: Message, due: float) -> None:
        if len(self._aside) < self._max_pending() // 2:
            self._aside_until = due if not self._aside else min(self._aside_until, due)
            self._aside.append(message)
        else:
            refused = SendResult(message.position, Result.DEFERRED, fault=Fault.SPEED)
            self._on_result(refused)

"""The event loop: gives messages to connections, collects results, and handles lost connections.

The messages that a lost connection provably did not hand over go to the others; openings.py decides
whether it is replaced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from time import monotonic

from newsletter.transport.outcomes import SendResult, TransportDownError
from newsletter.transport.pace import Pace
from newsletter.transport.smtp.connection import Connection
from newsletter.transport.smtp.message import Message
from newsletter.transport.smtp.openings import Openings
from newsletter.transport.smtp.pacing import Gate
from newsletter.transport.smtp.pool import ConnectionPool

GRACE_SECONDS = 8.0
"""How long the messages in flight may take after a call is told to stop (E7: 10 s in all)."""
IDLE_SECONDS = 2.0
"""After a pause of this length, check that a connection is still alive."""
_POLL_SECONDS = 0.1


class SendLoop:
    """One call of `send`: takes `messages` as connections have room for them.

    At most `max_pending()` messages have been taken and have no result. No message is started once
    `stop` returns True, the relay is down, or `messages` has raised an exception.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        messages: Iterator[Message | SendResult],
        pace: Pace,
        *,
        stop: Callable[[], bool],
        max_pending: Callable[[], int],
    ) -> None:
        self._pool = pool
        self._messages = messages
        self._stop = stop
        self._max_pending = max_pending
        self._most_pending = max_pending()
        """As of the latest look: asking for each message would cost more than it gains."""
        self._openings = Openings(pool)
        self._waiting: deque[Message] = deque()
        self._results: list[SendResult] = []
        self._pending = 0
        self._pace = pace
        self._gate = Gate(pace, self._waiting, self._on_deferred, max_pending=max_pending)
        self._exhausted = False
        self._with_room: set[Connection] = set()
        """Connections that have room for more messages."""
        self._served_at = 0.0
        """When the relay last replied to a message, until the openings know."""
        self._stopped = False
        self._deadline = float("inf")
        self._next_clock_check = 0.0
        self._down: TransportDownError | None = None
        self._error: Exception | None = None

    def run(self) -> Generator[SendResult, None, None]:
        """Yield the results.

        Raises TransportDownError, or what `messages` raised, once nothing is in flight.
        """
        try:
            self._refresh_connections()
            while True:
                if not self._stopped and self._stop():
                    self._stopped = True
                    self._stop_within(GRACE_SECONDS)
                self._tell_served()
                self._most_pending = self._max_pending()
                self._distribute()
                results, self._results = self._results, []
                self._gate.count(results)
                yield from results
                if not self._results and self._is_done():
                    break
                self._wait(self._gate.poll_seconds(_POLL_SECONDS))
                if self._gate.down is not None and self._down is None:
                    self._give_up(self._gate.down)
        finally:
            self._drop_unusable()
        if self._error is not None:
            raise self._error
        if self._down is not None:
            raise self._down

    def _refresh_connections(self) -> None:
        """Find out what happened to the connections since the last call, and use those left."""
        self._pool.begin_call()
        now = monotonic()
        for connection in self._pool.connections:
            connection.engine.resume()
        self._wait(0)
        for connection in list(self._pool.connections):
            if now - connection.last_activity > IDLE_SECONDS:
                connection.engine.check_alive()
                connection.flush()
                self._service(connection)
        for connection in list(self._pool.connections):
            self._fill(connection)

    def _distribute(self) -> None:
        """Give waiting messages to connections with room, or open more."""
        while self._with_room and self._may_start():
            self._fill(self._with_room.pop())
        if self._with_room or not self._may_start():
            return
        for _ in range(self._openings.count()):
            self._service(self._pool.open())

    def _wait(self, seconds: float) -> None:
        for key, _mask in self._pool.selector.select(0 if self._results else seconds):
            if not key.data.engine.closed:
                key.data.on_ready()
                self._service(key.data)
        now = monotonic()
        if now >= self._next_clock_check:
            self._next_clock_check = now + _POLL_SECONDS
            for connection in list(self._pool.connections):
                self._check_timeouts(connection)
            for connection in self._openings.review(now):
                connection.retire()
                self._collect(connection)

    def _check_timeouts(self, connection: Connection) -> None:
        engine, now = connection.engine, monotonic()
        if now >= connection.expires and (engine.awaits_reply or engine.output):
            connection.expire()
        elif now >= self._deadline and engine.in_flight:
            engine.fail("stopped")
        else:
            return
        self._service(connection)

    def _service(self, connection: Connection) -> None:
        """Collect a connection's results, give it more messages, and write."""
        self._collect(connection)
        if not connection.engine.closed:
            self._fill(connection)

    def _fill(self, connection: Connection) -> None:
        engine = connection.engine
        if self._pace.free:
            while engine.has_room and (self._waiting or self._take_next()):
                engine.start(self._waiting.popleft())
        else:
            while engine.has_room and self._may_start():
                engine.start(self._waiting.popleft())
                self._gate.is_admitted = False
        if engine.has_room:
            self._with_room.add(connection)
        connection.flush()
        if engine.results or engine.closed or engine.unsent:
            self._collect(connection)

    def _may_start(self) -> bool:
        """Return whether a message is waiting that the pace allows to start now."""
        if self._pace.free:
            return bool(self._waiting) or self._take_next()
        self._gate.release()
        while self._waiting or self._take_next():
            if self._gate.admits_first():
                return True
            if self._waiting:
                break
        return False

    def _on_deferred(self, result: SendResult) -> None:
        self._pending -= 1
        self._results.append(result)

    def _take_next(self) -> bool:
        """Take the next message, if there is one and few enough are pending."""
        # Results that the caller hasn't got yet count too: it stores them with its permissions.
        while (
            not self._waiting
            and not self._exhausted
            and self._pending + len(self._results) < self._most_pending
        ):
            try:
                message = next(self._messages)
            except StopIteration:
                self._exhausted = True
            except Exception as error:  # noqa: BLE001 - raised again at the end of `run`
                self._error = error
                self._stop_within(GRACE_SECONDS)
            else:
                if isinstance(message, SendResult):
                    self._results.append(message)
                else:
                    self._pending += 1
                    self._waiting.append(message)
        return bool(self._waiting)

    def _collect(self, connection: Connection) -> None:
        engine = connection.engine
        if engine.results:
            self._served_at = connection.last_activity
            if engine.deferred:
                self._gate.take_back(engine, self._results)
            self._pending -= len(engine.results)
            self._results += engine.results
            engine.results.clear()
        if connection.is_retiring and not engine.in_flight and not engine.closed:
            engine.quit()
            connection.flush()
        if engine.closed and connection in self._pool.connections:
            self._pool.drop(connection)
            self._with_room.discard(connection)
            self._on_lost(connection)
        elif engine.down is not None and self._down is None:
            self._give_up(engine.down)
        if engine.unsent:
            for message in reversed(engine.unsent):
                message.reset()
                self._waiting.appendleft(message)
            engine.unsent.clear()
        if self._waiting and self._is_ending:
            self._waiting.clear()

    @property
    def _is_ending(self) -> bool:
        """Whether no more messages are started."""
        return self._deadline != float("inf")

    def _on_lost(self, connection: Connection) -> None:
        engine = connection.engine
        if engine.is_ready and not connection.says_too_many:
            self._gate.closed(engine.closed)
        unused = engine.is_ready and not engine.started and not self._waiting
        if self._is_ending or unused:
            return
        self._tell_served()
        down = self._openings.lost(connection)
        if down is not None:
            self._give_up(down)

    def _tell_served(self) -> None:
        if self._served_at:
            self._openings.served(self._served_at)
            self._served_at = 0.0

    def _give_up(self, down: TransportDownError) -> None:
        self._down = down
        self._stop_within(self._pool.relay.timeout)

    def _stop_within(self, seconds: float) -> None:
        """Start no more messages, and give those in flight so many seconds to be settled."""
        self._exhausted = True
        self._deadline = min(self._deadline, monotonic() + seconds)
        self._waiting.clear()
        for connection in list(self._pool.connections):
            connection.engine.stop()
            self._collect(connection)

    def _is_done(self) -> bool:
        if self._is_ending:
            return not any(c.engine.in_flight for c in self._pool.connections)
        return self._exhausted and not self._pending

    def _drop_unusable(self) -> None:
        """Drop what can't be reused: if the call was abandoned, messages are still in flight."""
        for connection in list(self._pool.connections):
            engine = connection.engine
            if engine.in_flight or engine.down or connection.is_retiring:
                self._pool.drop(connection)
        self._pool.end_call()

"""The event loop: messages to connections, outcomes back; and which losses end a call.

A connection that ends after it has taken messages is opened again when it is needed. One that
takes none, or leaves a message in doubt, is done without as long as others work; when none does,
the relay is down. So a fault costs at most as many messages in doubt as there are connections
and messages ahead on each, and no call goes on for ever without handing anything over.
"""

from __future__ import annotations

import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable, Generator, Iterator
from time import monotonic

from newsletter.transport.outcomes import SendResult, TransportDownError
from newsletter.transport.smtp.connection import Address, Connection
from newsletter.transport.smtp.engine import Message
from newsletter.transport.smtp.url import Relay

GRACE_SECONDS = 8.0
"""How long what is in flight may take once a call is asked to stop (E7: 10 s in all)."""
IDLE_SECONDS = 2.0
"""After a pause of this length a connection is asked whether it lives."""
GROWTH_FACTOR = 4
"""To so many times those that are ready connections are opened: at 50 ms a reply a hundred are
there after half a second."""
_POLL_SECONDS = 0.1


class ConnectionPool:
    """The connections to one relay, kept between calls. Not for several threads at once."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.connections: list[Connection] = []
        self._selector: selectors.BaseSelector | None = None
        self._trust: ssl.SSLContext | None = None
        self._resolved: tuple[float, list[Address]] = (0.0, [])

    @property
    def selector(self) -> selectors.BaseSelector:
        # Made in the process that sends: one that was forked off must not share it.
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
        return self._selector

    def open(self) -> Connection:
        connection = Connection(self.relay, self._addresses(), self.selector, self._context)
        self.connections.append(connection)
        return connection

    def drop(self, connection: Connection) -> None:
        self.connections.remove(connection)
        connection.close()

    def close(self) -> None:
        """QUIT where nothing is in flight, without waiting for an answer."""
        for connection in list(self.connections):
            if connection.engine.is_ready and not connection.engine.in_flight:
                connection.engine.leave()
                connection.flush()
            self.drop(connection)
        if self._selector is not None:
            self._selector.close()
            self._selector = None

    def _addresses(self) -> list[Address]:
        """The relay's, looked up once a minute; none where there are none."""
        if self._resolved[0] <= monotonic():
            try:
                found = socket.getaddrinfo(
                    self.relay.host, self.relay.port, type=socket.SOCK_STREAM
                )
            except OSError:
                return []
            self._resolved = (monotonic() + 60, [(entry[0], entry[4]) for entry in found])
        return self._resolved[1]

    def _context(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = ssl.create_default_context(cafile=self.relay.ca or None)
            if self.relay.tls == "offer":
                self._trust.check_hostname = False
                self._trust.verify_mode = ssl.CERT_NONE
        return self._trust


class SendLoop:
    """One call: `messages` are pulled as connections have room for them.

    At most `max_pending` messages are pulled and not settled. Once `stop` answers True no message is
    begun; `down` and what `messages` raises do the same.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        messages: Iterator[Message | SendResult],
        *,
        stop: Callable[[], bool],
        max_pending: int,
    ) -> None:
        self._pool = pool
        self._messages = messages
        self._stop = stop
        self._max_pending = max_pending
        self._most = pool.relay.connections
        self._waiting: deque[Message] = deque()
        self._results: list[SendResult] = []
        self._outstanding = 0
        self._exhausted = False
        self._hungry: set[Connection] = set()
        """Connections that had room for more than there was."""
        self._stopped = False
        self._ends_at = float("inf")
        self._clock_at = 0.0
        self._down: TransportDownError | None = None
        self._error: Exception | None = None

    def run(self) -> Generator[SendResult, None, None]:
        """Raises TransportDown, and what `messages` raises, after all in flight is settled."""
        try:
            self._begin()
            while True:
                if not self._stopped and self._stop():
                    self._stopped = True
                    self._end_soon(GRACE_SECONDS)
                self._hand_out()
                results, self._results = self._results, []
                yield from results
                if not self._results and self._is_done():
                    break
                self._wait(_POLL_SECONDS)
        finally:
            self._break_off()
        if self._error is not None:
            raise self._error
        if self._down is not None:
            raise self._down

    def _begin(self) -> None:
        """Look what became of the connections since the last call."""
        now = monotonic()
        for connection in self._pool.connections:
            connection.engine.resume()
        self._wait(0)
        for connection in list(self._pool.connections):
            if now - connection.active > IDLE_SECONDS:
                connection.engine.probe()
                connection.flush()
                self._look_after(connection)
        for connection in list(self._pool.connections):
            self._fill(connection)

    def _hand_out(self) -> None:
        """What waits goes to connections with room, or to new ones, GROWTH times as many each
        time, so that a relay that takes none was asked once."""
        while self._hungry and self._pull():
            self._fill(self._hungry.pop())
        connections = self._pool.connections
        if self._hungry or len(connections) >= self._most or not self._pull():
            return
        unready = sum(not connection.engine.is_ready for connection in connections)
        ready = len(connections) - unready
        for _ in range(
            min(self._most - len(connections), GROWTH_FACTOR * ready + 1 - len(connections))
        ):
            self._look_after(self._pool.open())

    def _wait(self, seconds: float) -> None:
        for key, _mask in self._pool.selector.select(0 if self._results else seconds):
            if not key.data.engine.over:
                key.data.advance()
                self._look_after(key.data)
        now = monotonic()
        if now >= self._clock_at:
            self._clock_at = now + _POLL_SECONDS
            for connection in list(self._pool.connections):
                self._look_at_the_clock(connection)

    def _look_at_the_clock(self, connection: Connection) -> None:
        engine, now = connection.engine, monotonic()
        if now >= connection.expires and (engine.is_waiting or engine.out):
            connection.expire()
        elif now >= self._ends_at and engine.in_flight:
            engine.fail("stopped")
        else:
            return
        self._look_after(connection)

    def _look_after(self, connection: Connection) -> None:
        """Take what a connection has settled, give it more, write."""
        self._collect(connection)
        if not connection.engine.over:
            self._fill(connection)

    def _fill(self, connection: Connection) -> None:
        engine = connection.engine
        while engine.has_room and self._pull():
            engine.begin(self._waiting.popleft())
        if engine.has_room:
            self._hungry.add(connection)
        connection.flush()
        if engine.settled or engine.over or engine.unsent:
            self._collect(connection)

    def _pull(self) -> bool:
        """Whether a message waits now; takes one if it may."""
        while not self._waiting and not self._exhausted and self._outstanding < self._max_pending:
            try:
                message = next(self._messages)
            except StopIteration:
                self._exhausted = True
            except Exception as error:  # noqa: BLE001
                # First what is in flight is settled; then it is raised.
                self._error = error
                self._end_soon(GRACE_SECONDS)
            else:
                if isinstance(message, SendResult):
                    self._results.append(message)
                else:
                    self._outstanding += 1
                    self._waiting.append(message)
        return bool(self._waiting)

    def _collect(self, connection: Connection) -> None:
        engine = connection.engine
        if engine.settled:
            self._outstanding -= len(engine.settled)
            self._results += engine.settled
            engine.settled.clear()
        if engine.over and connection in self._pool.connections:
            self._pool.drop(connection)
            self._hungry.discard(connection)
            self._lost(connection)
        elif engine.down is not None and self._down is None:
            self._give_up(engine.down)
        if engine.unsent:
            for message in reversed(engine.unsent):
                message.begin_anew()
                self._waiting.appendleft(message)
            engine.unsent.clear()
        if self._waiting and self._ends:
            self._waiting.clear()

    @property
    def _ends(self) -> bool:
        """Whether no message is begun any more."""
        return self._ends_at != float("inf")

    def _lost(self, connection: Connection) -> None:
        engine = connection.engine
        unused = engine.is_ready and not engine.begun and not self._waiting
        if self._ends or unused or (engine.taken and not engine.left_doubt and not engine.down):
            return
        others = any(other.engine.taken for other in self._pool.connections)
        if others and not (engine.is_ready and engine.down):
            self._most = len(self._pool.connections)
            return
        when = "" if engine.is_ready or engine.over == "no connection" else " before it was ready"
        reason = f"{self._pool.relay.name}: {engine.over}{when}"
        self._give_up(engine.down or TransportDownError(reason, code=engine.code))

    def _give_up(self, down: TransportDownError) -> None:
        self._down = down
        self._end_soon(self._pool.relay.timeout)

    def _end_soon(self, seconds: float) -> None:
        """Nothing more is begun; what is in flight has so long to be settled."""
        self._exhausted = True
        self._ends_at = min(self._ends_at, monotonic() + seconds)
        self._waiting.clear()
        for connection in list(self._pool.connections):
            connection.engine.stop()
            self._collect(connection)

    def _is_done(self) -> bool:
        if self._ends:
            return not any(c.engine.in_flight for c in self._pool.connections)
        return self._exhausted and not self._outstanding

    def _break_off(self) -> None:
        """Keep what can be used again. Where the call was abandoned, something is in flight."""
        for connection in list(self._pool.connections):
            if connection.engine.in_flight or connection.engine.down:
                self._pool.drop(connection)

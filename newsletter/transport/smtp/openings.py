"""Decides, during one call of `send`, when to open connections and what the loss of one means.

Three kinds of loss are told apart:

* A connection on which the relay accepted messages is replaced when needed.
* One that was refused while others are open lowers the number of connections, for a while. If
  none is open, but the relay has served us a moment ago or says that it has too many connections,
  other processes hold them all, and one is tried again after a short pause.
* Any other one that ended without accepting a message, or left one in doubt, is not replaced
  during this call while others work.

If none is left, the relay is down. So a fault leaves in doubt at most the messages ahead of the
replies on each connection, and no call goes on forever without handing anything over.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import monotonic

from newsletter.transport.outcomes import TransportDownError
from newsletter.transport.smtp.connection import Connection
from newsletter.transport.smtp.pool import ConnectionPool

GROWTH_FACTOR = 4
"""How many times the ready connections may be open at once: at 50 ms a reply, a hundred are open
after half a second."""
PATIENCE_SECONDS = 20.0
"""How long a call goes on without a connection before the relay is down."""
PAUSE_SECONDS = 1.0
"""How long at most until a connection is tried again, and how long one that was given up for
others isn't replaced: as long, so that a process that waits for one gets it."""


class Openings:
    """The number of connections of one call."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._maximum = pool.relay.connections
        """The most for this call. What every call should know is in the pool's limit."""
        self._next_try = 0.0
        self._tries = 0
        self._refused_since: float | None = None

    def count(self) -> int:
        """Return how many connections to open now, if messages are waiting.

        The number grows by GROWTH_FACTOR at a time, so that a relay that accepts none is tried
        only once.
        """
        opened = len(self._pool.connections)
        if opened >= self._maximum:
            return 0
        now = monotonic()
        maximum = min(self._maximum, self._pool.limit.allowed(now))
        if opened >= maximum or now < self._next_try:
            return 0
        ready = sum(connection.engine.is_ready for connection in self._pool.connections)
        return min(maximum - opened, GROWTH_FACTOR * ready + 1 - opened)

    def served(self, moment: float) -> None:
        """The relay has replied to a message."""
        self._pool.limit.served_at = moment
        self._refused_since = None
        self._tries = 0

    def review(self, now: float) -> Sequence[Connection]:
        """Return connections to retire. Called a few times a second."""
        accepting = sum(1 for each in self._pool.connections if each.engine.completed)
        self._pool.limit.accepted(accepting)
        surplus = self._pool.surplus(now)
        if surplus:
            self._next_try = now + PAUSE_SECONDS
        return surplus

    def lost(self, connection: Connection) -> TransportDownError | None:
        """Return the error if the relay is down now that this connection has ended."""
        engine = connection.engine
        others = self._pool.connections
        now = monotonic()
        if engine.closed == "quit":
            return None
        if connection.says_too_many:
            self._pool.limit.lowered(len(others), now)
        if engine.completed and not engine.left_unknown and not engine.down:
            return None
        if connection.was_refused:
            if others or self._may_try_again(connection, now):
                self._pool.limit.lowered(len(others), now)
                return None
        elif not (engine.is_ready and engine.down) and any(
            other.engine.completed for other in others
        ):
            self._maximum = len(others)
            return None
        return engine.down or self._outage(connection)

    def _may_try_again(self, connection: Connection, now: float) -> bool:
        """Set when to try again, if the relay is only busy."""
        since = self._refused_since = self._refused_since or now
        is_busy = connection.says_too_many or self._pool.limit.served_recently(now)
        if not is_busy or now - since >= PATIENCE_SECONDS:
            return False
        self._tries += 1
        pause = min(PAUSE_SECONDS, PAUSE_SECONDS / 8 * 2**self._tries)
        # Processes that were refused together must not come back together.
        self._next_try = now + pause * random.uniform(0.5, 1)  # noqa: S311
        return True

    def _outage(self, connection: Connection) -> TransportDownError:
        engine = connection.engine
        during_handshake = not engine.is_ready and engine.closed != "connection failed"
        phase = " during the handshake" if during_handshake else ""
        reason = f"{self._pool.relay.redacted_url}: {engine.closed}{phase}"
        last = engine.closing_reply
        if last is None:
            return TransportDownError(reason)
        return TransportDownError(
            reason,
            code=last.code,
            status=last.status,
            fault=last.fault,
            retry_after=last.retry_after,
        )

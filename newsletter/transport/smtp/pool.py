"""The connections to one relay, kept between calls of `send` for as long as there is work."""

from __future__ import annotations

import selectors
import socket
import ssl
from threading import Event, RLock, Thread
from time import monotonic

from newsletter.transport.smtp.authentication import Authenticator
from newsletter.transport.smtp.connection import Address, Connection
from newsletter.transport.smtp.connection_limit import ConnectionLimit
from newsletter.transport.smtp.url import Relay

KEEP_SECONDS = 5.0
"""How long a connection without work is kept. Many relays limit how many connections they allow to
all our processes together, so one that is kept in case it is needed may be one that another
process is waiting for. Between the batches of a mailing there are only milliseconds."""
OFFER_SECONDS = 15.0
"""How often one of several connections is closed although there is work, so that another process
that has none can open one. Shorter than openings.PATIENCE_SECONDS, after which it gives up."""


class ConnectionPool:
    """The connections to one relay.

    Not thread-safe, except that a separate thread closes the connections after KEEP_SECONDS
    without a call.
    """

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.limit = ConnectionLimit(relay.connections)
        self.connections: list[Connection] = []
        self._authenticator = Authenticator(relay)
        self._selector: selectors.BaseSelector | None = None
        self._tls_context: ssl.SSLContext | None = None
        self._cached_addresses: tuple[float, list[Address]] = (0.0, [])
        self._last_offer = monotonic()
        self._lock = RLock()
        self._calls = 0
        self._last_call = 0.0
        self._was_closed = Event()
        self._reaper: Thread | None = None

    @property
    def selector(self) -> selectors.BaseSelector:
        # Created on first use: a forked process must not share its parent's selector.
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
        return self._selector

    def open(self) -> Connection:
        """Start a connection and add it to the pool."""
        connection = Connection(
            self.relay, self._addresses(), self.selector, self.tls_context, self._authenticator
        )
        self.connections.append(connection)
        return connection

    def drop(self, connection: Connection) -> None:
        """Close a connection and remove it from the pool."""
        self.connections.remove(connection)
        connection.close()

    def begin_call(self) -> None:
        """Keep the connections until `end_call`, even if there is nothing to send for a while."""
        with self._lock:
            self._calls += 1

    def end_call(self) -> None:
        with self._lock:
            self._calls -= 1
            self._last_call = monotonic()
            self._start_reaper()

    def surplus(self, now: float) -> list[Connection]:
        """Return connections to close during a call, so that other processes can have them.

        Those are the ones without work, except one, and every OFFER_SECONDS the most used one.
        """
        idle = [
            connection
            for connection in self.connections
            if connection.engine.has_room
            and not connection.engine.in_flight
            and now - connection.last_activity >= KEEP_SECONDS
        ]
        if idle:
            return idle[1:]
        used = [connection for connection in self.connections if connection.engine.completed]
        if now - self._last_offer >= OFFER_SECONDS and len(used) > 1:
            self._last_offer = now
            return [max(used, key=lambda connection: connection.engine.completed)]
        return []

    def close(self) -> None:
        """Close all connections, with QUIT if nothing is in flight; don't wait for the reply."""
        with self._lock:
            for connection in list(self.connections):
                if connection.engine.is_ready and not connection.engine.in_flight:
                    connection.engine.quit()
                    connection.flush()
                self.drop(connection)
            if self._selector is not None:
                self._selector.close()
                self._selector = None
            self._was_closed.set()

    def _start_reaper(self) -> None:
        """Start the thread that closes the connections after a while, unless it is running.

        No thread survives a fork, so a thread that the parent started doesn't count.
        """
        if self.connections and (self._reaper is None or not self._reaper.is_alive()):
            self._reaper = Thread(target=self._close_when_idle, name="smtp-idle", daemon=True)
            self._reaper.start()

    def _close_when_idle(self) -> None:
        while True:
            with self._lock:
                remaining = self._last_call + KEEP_SECONDS - monotonic()
                if not self._calls and remaining <= 0:
                    self.close()
                if not self._calls and not self.connections:
                    self._reaper = None
                    return
            if self._was_closed.wait(remaining if remaining > 0 else KEEP_SECONDS):
                self._was_closed.clear()

    def _addresses(self) -> list[Address]:
        """Return the relay's addresses, looked up once a minute; [] if it has none."""
        if self._cached_addresses[0] <= monotonic():
            try:
                found = socket.getaddrinfo(
                    self.relay.host, self.relay.port, type=socket.SOCK_STREAM
                )
            except OSError:
                return []
            self._cached_addresses = (monotonic() + 60, [(entry[0], entry[4]) for entry in found])
        return self._cached_addresses[1]

    def tls_context(self) -> ssl.SSLContext:
        if self._tls_context is None:
            self._tls_context = ssl.create_default_context(cafile=self.relay.ca or None)
            if self.relay.tls == "offer":
                self._tls_context.check_hostname = False
                self._tls_context.verify_mode = ssl.CERT_NONE
        return self._tls_context

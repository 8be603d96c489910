"""A non-blocking socket that drives an Engine: connects, starts TLS, reads and writes.

It raises nothing. A failure ends the engine, with a reason that repeats nothing the relay sent.
"""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
from collections.abc import Callable, Sequence
from time import monotonic

from newsletter.transport.outcomes import Fault
from newsletter.transport.smtp.authentication import Authenticator
from newsletter.transport.smtp.engine import Engine
from newsletter.transport.smtp.output import OutputBuffer
from newsletter.transport.smtp.refusals import tls_failure
from newsletter.transport.smtp.url import Relay

CONNECT_SECONDS = 10
SLOW_REPLY_SECONDS = 1.0
QUICK_REPLIES_NEEDED = 8
"""How many replies in a row must take at most SLOW_REPLY_SECONDS before chunks are used.

A chunk can't be withdrawn once its first command is sent, and it waits for those ahead of it. With
a slow relay, a worker that is told to stop would have to wait for several replies (E7)."""
MAX_TLS_RECORD = 16_384
"""The most octets of a TLS record (RFC 8446, 5.1)."""
_READ_SIZE = 8_192
"""Octets to read in one call; the next call reads the rest."""
_MAX_BUFFERS = 1000
"""The most buffers of one sendmsg call; the system's limit is 1024."""
_WITHOUT_A_WORD = frozenset({"connection failed", "connection closed"})
_CONNECTING = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

Address = tuple[socket.AddressFamily, tuple[object, ...]]


class Connection:
    """A connection. `expires` is when its timeout runs out, in monotonic seconds."""

    def __init__(
        self,
        relay: Relay,
        addresses: Sequence[Address],
        selector: selectors.BaseSelector,
        context: Callable[[], ssl.SSLContext],
        authenticator: Authenticator | None = None,
    ) -> None:
        self.engine = Engine(relay, authenticator)
        self.is_retiring = False
        self.expires = self.last_activity = 0.0
        self._relay = relay
        self._addresses = list(addresses)
        self._selector = selector
        self._context = context
        self._socket: socket.socket | ssl.SSLSocket | None = None
        self._mask = 0
        self._quick_replies = 0
        self.engine.is_slow = True
        self._on_ready: Callable[[], None] = self._on_connected
        self._speaks_smtp = False
        """Whether it is connected and no TLS handshake is in progress."""
        self._connect()

    def on_ready(self) -> None:
        """Continue: the socket can be read or written."""
        self._on_ready()

    @property
    def was_refused(self) -> bool:
        """Whether it ended as relays end a connection when they have enough, with no doubt left.

        That is 421, or a reset or an end without a word (D9).
        """
        engine = self.engine
        if engine.left_unknown:
            return False
        if engine.down is not None:
            return engine.down.fault is Fault.SPEED or engine.down.code == 421
        return engine.closing_reply is not None or engine.closed in _WITHOUT_A_WORD

    @property
    def says_too_many(self) -> bool:
        """Whether the relay ended it because there are too many connections."""
        engine = self.engine
        if engine.down is not None:
            return engine.down.fault is Fault.SPEED
        return engine.closing_reply is not None and engine.closing_reply.too_many_connections

    def retire(self) -> None:
        """Start no more messages. It is closed with QUIT once nothing is in flight."""
        self.is_retiring = True
        self.engine.stop()

    def flush(self) -> None:
        """Write the engine's output, as far as the socket accepts it."""
        if self._speaks_smtp and self.engine.output:
            try:
                self._write()
            except ssl.SSLError:
                self.engine.fail("TLS error")
            except OSError:
                self._read_remaining()

    def expire(self) -> None:
        """The timeout has run out: try the next address, or give up."""
        if self._on_ready == self._on_connected:
            self._connect()
        else:
            self.engine.fail("timed out")

    def close(self) -> None:
        self._speaks_smtp = False
        if self._socket is not None:
            self._unwatch()
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        """Connect to the next of the relay's addresses."""
        self.close()
        while self._addresses:
            family, address = self._addresses.pop(0)
            try:
                self._socket = socket.socket(family, socket.SOCK_STREAM)
                self._socket.settimeout(0)
                # A final dot must not wait for the acknowledgement of the body.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                status = self._socket.connect_ex(address)
            except OSError:
                status = errno.EINVAL
            if status not in _CONNECTING:
                self.close()
                continue
            self._touch(CONNECT_SECONDS)
            self._watch(_WRITE)
            return
        self.engine.fail("connection failed")

    def _on_connected(self) -> None:
        if self._socket is None or self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._connect()
            return
        if self._relay.tls == "implicit":
            self._start_tls()
        else:
            self._start_smtp()

    def _start_smtp(self) -> None:
        self._on_ready, self._speaks_smtp = self._on_readable, True
        self._touch(self._relay.timeout)
        self._watch(_READ)

    def _start_tls(self) -> None:
        assert self._socket is not None  # noqa: S101 - TLS starts only once connected
        plain = self._socket
        self._speaks_smtp = False
        self._touch(self._relay.timeout)
        self._unwatch()
        try:
            self._socket = self._context().wrap_socket(
                plain, server_hostname=self._relay.host, do_handshake_on_connect=False
            )
        except (OSError, ValueError):
            plain.close()
            self._socket = None
            self.engine.fail("TLS error")
            return
        self._on_ready = self._do_tls_handshake
        self._do_tls_handshake()

    def _do_tls_handshake(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)  # noqa: S101
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(_READ)
        except ssl.SSLWantWriteError:
            self._watch(_WRITE)
        except ssl.SSLError as error:
            self.engine.down = tls_failure(self._relay, error)
            self.engine.fail(self.engine.down.reason)
        except OSError:
            self.engine.fail("connection closed")
        else:
            self._start_smtp()
            if self.engine.wants_tls:
                self.engine.tls_established()
                self.flush()

    def _on_readable(self) -> None:
        self._read()
        if self.engine.wants_tls and not self.engine.closed:
            self._start_tls()

    def _read(self) -> None:
        """Read what has arrived. A reset counts as a proper end: after 421 they mean the same."""
        assert self._socket is not None  # noqa: S101
        try:
            data = self._socket.recv(_READ_SIZE)
            while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                data += self._socket.recv(_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except ssl.SSLError:
            self.engine.fail("TLS error")
            return
        except OSError:
            data = b""
        before = self.last_activity
        self._touch(self._relay.timeout)
        self._quick_replies = (
            self._quick_replies + 1 if self.last_activity - before <= SLOW_REPLY_SECONDS else 0
        )
        self.engine.is_slow = self._quick_replies < QUICK_REPLIES_NEEDED
        self.engine.receive(data)

    def _read_remaining(self) -> None:
        """Process the replies that arrived before writing failed: they still count."""
        while not self.engine.closed:
            before = self.last_activity
            self._read()
            if self.last_activity == before:
                self.engine.fail("connection closed")

    def _write(self) -> None:
        output = self.engine.output
        assert self._socket is not None  # noqa: S101
        if isinstance(self._socket, ssl.SSLSocket):
            output.join()
        while output:
            try:
                count = self._send(output)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._watch(_READ | _WRITE)
                return
            output.mark_written(count)
            self._touch(self._relay.timeout)
        self._watch(_READ)

    def _send(self, output: OutputBuffer) -> int:
        if isinstance(self._socket, ssl.SSLSocket):
            chunk = memoryview(output.chunks[0])[:MAX_TLS_RECORD]
            # A record that was only partly written may still be sent.
            output.maybe_sent = max(output.maybe_sent, output.written + len(chunk))
            return self._socket.send(chunk)
        assert self._socket is not None  # noqa: S101
        return self._socket.sendmsg(output.chunks[:_MAX_BUFFERS])

    def _touch(self, seconds: float) -> None:
        self.last_activity = monotonic()
        self.expires = self.last_activity + seconds

    def _watch(self, mask: int) -> None:
        if mask == self._mask or self._socket is None:
            return
        if self._mask:
            self._selector.modify(self._socket.fileno(), mask, self)
        else:
            self._selector.register(self._socket.fileno(), mask, self)
        self._mask = mask

    def _unwatch(self) -> None:
        if self._mask and self._socket is not None:
            self._selector.unregister(self._socket.fileno())
        self._mask = 0

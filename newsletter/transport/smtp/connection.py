"""A non-blocking socket under an Engine: connect, TLS, read, write. Raises nothing: what happens
to it becomes the engine's end, in words that hold nothing of what the relay said."""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
from collections.abc import Callable, Sequence
from time import monotonic

from newsletter.transport.outcomes import TransportDownError
from newsletter.transport.smtp.engine import Engine
from newsletter.transport.smtp.url import Relay

CONNECT_SECONDS = 10
SLOW_REPLY_SECONDS = 1.0
QUICK_REPLIES_NEEDED = 8
"""Chunks begin after so many answers in a row that took no longer than SLOW_SECONDS. A chunk is
under way from its first command on, and each waits behind the others: with a relay that takes its
time, a worker that is asked to stop would have to wait for several answers (E7)."""
MAX_TLS_RECORD = 16_384
"""Octets that one TLS record holds (RFC 8446, 5.1)."""
_READ_SIZE = 8_192
"""Octets read in one call; more than that are read in the next."""
_MAX_BUFFERS = 1000
"""Pieces in one call; the system's own limit is 1024."""
_CONNECTING = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

Address = tuple[socket.AddressFamily, tuple[object, ...]]


class Connection:
    """`expires` is when its silence has lasted too long (monotonic seconds)."""

    def __init__(
        self,
        relay: Relay,
        addresses: Sequence[Address],
        selector: selectors.BaseSelector,
        context: Callable[[], ssl.SSLContext],
    ) -> None:
        self.engine = Engine(relay)
        self.expires = self.active = 0.0
        self._relay = relay
        self._addresses = list(addresses)
        self._selector = selector
        self._context = context
        self._socket: socket.socket | ssl.SSLSocket | None = None
        self._mask = 0
        self._quick = 0
        self.engine.is_slow = True
        self._step: Callable[[], None] = self._connected
        self._talks = False
        """Whether SMTP is spoken: connected, and no TLS handshake under way."""
        self._connect()

    def advance(self) -> None:
        """The socket can be read or written."""
        self._step()

    def flush(self) -> None:
        """Write what the engine has to say, as far as the socket takes it."""
        if self._talks and self.engine.out:
            try:
                self._write()
            except ssl.SSLError:
                self.engine.fail("TLS failed")
            except OSError:
                self._read_the_rest()

    def expire(self) -> None:
        """Nothing happened for too long."""
        if self._step == self._connected:
            self._connect()
        else:
            self.engine.fail("it went silent")

    def close(self) -> None:
        self._talks = False
        if self._socket is not None:
            self._unwatch()
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        """Begin with the next of the relay's addresses."""
        self.close()
        while self._addresses:
            family, address = self._addresses.pop(0)
            try:
                self._socket = socket.socket(family, socket.SOCK_STREAM)
                self._socket.settimeout(0)
                # A final dot must not wait for the acknowledgement of the body.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                begun = self._socket.connect_ex(address)
            except OSError:
                begun = errno.EINVAL
            if begun not in _CONNECTING:
                self.close()
                continue
            self._alive(CONNECT_SECONDS)
            self._watch(_WRITE)
            return
        self.engine.fail("no connection")

    def _connected(self) -> None:
        if self._socket is None or self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._connect()
            return
        if self._relay.tls == "implicit":
            self._begin_tls()
        else:
            self._begin_talk()

    def _begin_talk(self) -> None:
        self._step, self._talks = self._talk, True
        self._alive(self._relay.timeout)
        self._watch(_READ)

    def _begin_tls(self) -> None:
        assert self._socket is not None  # noqa: S101 - only a connected one is encrypted
        plain = self._socket
        self._talks = False
        self._alive(self._relay.timeout)
        self._unwatch()
        try:
            self._socket = self._context().wrap_socket(
                plain, server_hostname=self._relay.host, do_handshake_on_connect=False
            )
        except (OSError, ValueError):
            plain.close()
            self._socket = None
            self.engine.fail("TLS failed")
            return
        self._step = self._shake_hands
        self._shake_hands()

    def _shake_hands(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)  # noqa: S101
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(_READ)
        except ssl.SSLWantWriteError:
            self._watch(_WRITE)
        except ssl.SSLError as error:
            self.engine.down = self._untrusted(error)
            self.engine.fail(self.engine.down.reason)
        except OSError:
            self.engine.fail("it hung up")
        else:
            self._begin_talk()
            if self.engine.wants_tls:
                self.engine.encrypted()
                self.flush()

    def _untrusted(self, error: ssl.SSLError) -> TransportDownError:
        reason = f"{self._relay.name}: its certificate or its TLS is not acceptable"
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = f"{reason} ({error.verify_message})"
        return TransportDownError(reason)

    def _talk(self) -> None:
        self._read()
        if self.engine.wants_tls and not self.engine.over:
            self._begin_tls()

    def _read(self) -> None:
        """What has arrived; an end however it came: after 421 both mean the same."""
        assert self._socket is not None  # noqa: S101
        try:
            data = self._socket.recv(_READ_SIZE)
            while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                data += self._socket.recv(_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except ssl.SSLError:
            self.engine.fail("TLS failed")
            return
        except OSError:
            data = b""
        before = self.active
        self._alive(self._relay.timeout)
        self._quick = self._quick + 1 if self.active - before <= SLOW_REPLY_SECONDS else 0
        self.engine.is_slow = self._quick < QUICK_REPLIES_NEEDED
        self.engine.receive(data)

    def _read_the_rest(self) -> None:
        """It cannot be written any more; what was said before that still counts."""
        while not self.engine.over:
            before = self.active
            self._read()
            if self.active == before:
                self.engine.fail("it hung up")

    def _write(self) -> None:
        engine = self.engine
        assert self._socket is not None  # noqa: S101
        if isinstance(self._socket, ssl.SSLSocket):
            engine.out[:] = [b"".join(engine.out)]
        while engine.out:
            try:
                count = self._send(engine)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._watch(_READ | _WRITE)
                return
            engine.wrote(count)
            self._alive(self._relay.timeout)
        self._watch(_READ)

    def _send(self, engine: Engine) -> int:
        if isinstance(self._socket, ssl.SSLSocket):
            chunk = memoryview(engine.out[0])[:MAX_TLS_RECORD]
            # A record that is not written to its end may still be on its way.
            engine.reached = max(engine.reached, engine.written + len(chunk))
            return self._socket.send(chunk)
        assert self._socket is not None  # noqa: S101
        return self._socket.sendmsg(engine.out[:_MAX_BUFFERS])

    def _alive(self, seconds: float) -> None:
        self.active = monotonic()
        self.expires = self.active + seconds

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

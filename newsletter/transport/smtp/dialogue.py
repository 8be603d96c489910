"""One SMTP connection, step by step, over smtplib.

Replies leave as code and enhanced status: their text echoes addresses (G1). Errors of smtplib
hold it too, and leave as ConnectionLost, raised `from None`.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple

from newsletter.transport.decisions import enhanced_status
from newsletter.transport.outcomes import TransportDown
from newsletter.transport.smtp.url import Relay

CONNECT_SECONDS = 10


class Reply(NamedTuple):
    code: int
    status: str = ""

    @property
    def is_good(self) -> bool:
        return 200 <= self.code < 400

    def __str__(self) -> str:
        return f"{self.code} {self.status}".rstrip()


class ConnectionLost(Exception):  # noqa: N818 - names the condition
    """The connection ended, the relay went silent or answered nonsense."""


class Dialogue:
    """A connection that is greeted, encrypted and signed in. Raises TransportDown until then."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        try:
            self._smtp = _connected(relay)
        except OSError:
            raise TransportDown(f"{relay.name}: no connection") from None
        try:
            with _no_texts():
                self._introduce()
        except ConnectionLost as lost:
            self.abort()
            raise TransportDown(f"{relay.name}: {lost} before it was ready") from None
        except BaseException:
            self.abort()
            raise

    def command(self, line: str) -> Reply:
        """Raises ConnectionLost."""
        with _no_texts():
            return _reply(self._smtp.docmd(line))

    def body(self, message: bytes) -> None:
        """Sends the message but for the final dot: nothing is handed over yet.

        Raises ConnectionLost.
        """
        with _no_texts():
            self._smtp.send(message)

    def final_dot(self) -> Reply:
        """From here on the relay may have taken the message, whatever is raised."""
        with _no_texts():
            self._smtp.send(b".\r\n")
            return _reply(self._smtp.getreply())

    def quit(self) -> None:
        """Politely, but waiting for a second at most."""
        with contextlib.suppress(ConnectionLost), _no_texts():
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(1)
                self._smtp.docmd("QUIT")
        self.abort()

    def abort(self) -> None:
        """Close at once. What is in the buffer of a message without its dot is discarded."""
        self._smtp.close()

    def _introduce(self) -> None:
        self._demand("greeting", _reply(self._smtp.getreply()))
        self._demand("EHLO", _reply(self._smtp.ehlo()))
        if self._relay.tls in {"demand", "offer"}:
            self._encrypt()
        if self._relay.user:
            self._sign_in()

    def _encrypt(self) -> None:
        if not self._smtp.has_extn("starttls"):
            if self._relay.tls == "demand":
                raise self._down("it offers no STARTTLS, which is demanded")
            return
        try:
            self._demand("STARTTLS", _reply(self._smtp.starttls(context=_context(self._relay))))
        except ssl.SSLError:
            raise self._down("its certificate or its TLS is not acceptable") from None
        self._demand("EHLO", _reply(self._smtp.ehlo()))

    def _sign_in(self) -> None:
        try:
            self._smtp.login(self._relay.user, self._relay.password)
        except smtplib.SMTPAuthenticationError as error:
            code, text = error.smtp_code, error.smtp_error
            reply = Reply(code, enhanced_status(text if isinstance(text, bytes) else b""))
            raise self._down(f"it refused the credentials: {reply}", code=code) from None
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException:
            raise self._down("it offers no way to sign in") from None

    def _demand(self, step: str, reply: Reply) -> None:
        if not reply.is_good:
            raise self._down(f"{step}: {reply}", code=reply.code)

    def _down(self, reason: str, *, code: int | None = None) -> TransportDown:
        return TransportDown(f"{self._relay.name}: {reason}", code=code)


def _connected(relay: Relay) -> smtplib.SMTP:
    """A connected socket in smtplib's hands, its greeting unread. Raises OSError."""
    connection: socket.socket = socket.create_connection((relay.host, relay.port), CONNECT_SECONDS)
    connection.settimeout(relay.timeout)
    # The final dot is a packet of its own: it must not wait for the body's acknowledgement.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if relay.tls == "implicit":
        try:
            connection = _context(relay).wrap_socket(connection, server_hostname=relay.host)
        except ssl.SSLError:
            connection.close()
            reason = "its certificate or its TLS is not acceptable"
            raise TransportDown(f"{relay.name}: {reason}") from None
        except BaseException:
            connection.close()
            raise
    smtp = smtplib.SMTP(local_hostname=relay.helo)
    smtp.sock = connection
    # What SMTP.connect would set; STARTTLS checks the certificate against it.
    held: Any = smtp
    held._host = relay.host
    return smtp


def _context(relay: Relay) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=relay.ca or None)
    if relay.tls == "offer":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reply(answer: tuple[int, bytes]) -> Reply:
    code, text = answer
    if not 200 <= code < 600:
        raise ConnectionLost("it answered nonsense")
    return Reply(code, enhanced_status(text))


@contextlib.contextmanager
def _no_texts() -> Iterator[None]:
    """smtplib's errors hold replies, and so addresses: only their kind goes on (G2)."""
    try:
        yield
    except (TimeoutError, smtplib.SMTPServerDisconnected) as error:
        silent = isinstance(error, TimeoutError) or "timed out" in str(error)
        raise ConnectionLost("it went silent" if silent else "it hung up") from None
    except ssl.SSLError:
        raise ConnectionLost("TLS failed") from None
    except OSError:  # smtplib.SMTPException is one
        raise ConnectionLost("the connection failed") from None

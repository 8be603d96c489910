"""Goes through one session with a relay, command by command, and reports each step.

For an operator who tries out a transport: it shows a wrong password, a quota, an unknown sender or
a limit on size before the list is used. Nothing that is reported repeats an address or a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from newsletter.transport.decisions import Step, classify, enhanced_status
from newsletter.transport.outcomes import Fault, Result, TransportDownError
from newsletter.transport.smtp.connection import CONNECT_SECONDS
from newsletter.transport.smtp.handshake import Extensions, Handshake
from newsletter.transport.smtp.message import Message
from newsletter.transport.smtp.refusals import reply_summary, tls_failure
from newsletter.transport.smtp.replies import BadReplyError, Reply, ReplyParser
from newsletter.transport.smtp.url import Relay


@dataclass(frozen=True)
class DialogueStep:
    """One step: a command and its reply, or the start of a connection or of TLS.

    `name` is the command without addresses and secrets. `code` is None if there was no reply.
    `result` is what a refusal means for the recipient, or None if it is about the relay itself;
    `reason` says what went wrong, and is "" if nothing did. `extensions` is what EHLO brought.
    """

    name: str
    seconds: float
    code: int | None = None
    status: str = ""
    ok: bool = True
    result: Result | None = None
    fault: Fault = Fault.NONE
    reason: str = ""
    extensions: Extensions | None = None


class _FailedError(Exception):
    """The session can't go on after this step."""

    def __init__(self, step: DialogueStep) -> None:
        self.step = step


class Dialogue:
    """One session, on a blocking socket. Use `steps` once."""

    def __init__(self, relay: Relay, context: ssl.SSLContext) -> None:
        self._relay = relay
        self._context = context
        self._handshake = Handshake(relay)
        self._parser = ReplyParser()
        self._replies: list[Reply] = []
        self._socket: socket.socket | None = None
        self._encrypted = False
        self._started = 0.0

    def steps(self, message: Message) -> Iterator[DialogueStep]:
        """Yield the steps until the relay has accepted the message, or something fails."""
        try:
            yield self._connect()
            if self._relay.tls == "implicit":
                yield self._start_tls()
            yield from self._shake_hands()
            yield from self._hand_over(message)
            self._quit()
        except _FailedError as failed:
            yield failed.step
        finally:
            if self._socket is not None:
                self._socket.close()

    def _connect(self) -> DialogueStep:
        self._started = monotonic()
        address = (self._relay.host, self._relay.port)
        try:
            self._socket = socket.create_connection(address, CONNECT_SECONDS)
        except OSError:
            raise self._failure("connection", "connection failed") from None
        self._socket.settimeout(self._relay.timeout)
        return self._success("connection")

    def _start_tls(self) -> DialogueStep:
        assert self._socket is not None  # noqa: S101 - TLS starts only once connected
        self._started = monotonic()
        try:
            self._socket = self._context.wrap_socket(self._socket, server_hostname=self._relay.host)
        except ssl.SSLError as error:
            raise self._down("TLS", tls_failure(self._relay, error)) from None
        except (OSError, ValueError):
            raise self._failure("TLS", "TLS error") from None
        self._encrypted = True
        return self._success("TLS")

    def _shake_hands(self) -> Iterator[DialogueStep]:
        name, data = "greeting", b""
        while not self._handshake.is_ready:
            code, text = self._exchange(name, data)
            seconds = monotonic() - self._started
            down = None
            try:
                data = self._handshake.handle_reply(code, text)
            except TransportDownError as error:
                down = error
            if down is not None and code >= 400:
                raise self._down(name, down, code, text) from None
            yield DialogueStep(
                name,
                seconds,
                code,
                enhanced_status(text),
                ok=code < 400,
                extensions=self._handshake.extensions if name == "EHLO" else None,
            )
            if down is not None:  # EHLO didn't offer what we need, or there is no access token
                missing = self._relay.tls == "demand" and not self._encrypted
                raise self._down("STARTTLS" if missing else "AUTH", down)
            if self._handshake.wants_tls:
                if self._replies or not self._parser.is_between_replies:
                    raise self._failure(name, "invalid reply")
                yield self._start_tls()
                data = self._handshake.tls_established()
            name = _name(data) or name

    def _hand_over(self, message: Message) -> Iterator[DialogueStep]:
        extensions = self._handshake.extensions
        if extensions.size and message.size > extensions.size:
            raise _FailedError(_too_large(message.size, extensions.size))
        size = b" SIZE=%d" % message.size if extensions.declares_size else b""
        mail = b"MAIL FROM:<%b>%b\r\n" % (message.sender, size)
        yield self._command("mail", "MAIL FROM", mail)
        yield self._command("rcpt", "RCPT TO", b"RCPT TO:<%b>\r\n" % message.rcpt)
        yield self._command("data", "DATA", b"DATA\r\n")
        yield self._command("final", "message", b"".join(message.content) + b".\r\n")

    def _command(self, step: Step, name: str, data: bytes) -> DialogueStep:
        code, text = self._exchange(name, data)
        seconds, status = monotonic() - self._started, enhanced_status(text)
        if code == 354 if step == "data" else 200 <= code < 300:
            result = Result.SENT if step == "final" else None
            return DialogueStep(name, seconds, code, status, result=result)
        verdict, reason = classify(step, code, status, text), reply_summary(code, text)
        raise _FailedError(
            DialogueStep(
                name,
                seconds,
                code,
                verdict.status,
                ok=False,
                result=verdict.result,
                fault=verdict.fault,
                reason=reason,
            )
        )

    def _quit(self) -> None:
        assert self._socket is not None  # noqa: S101
        with suppress(OSError):
            self._socket.sendall(b"QUIT\r\n")

    def _exchange(self, name: str, data: bytes) -> Reply:
        """Send a command and return its reply. Raises _FailedError if there is none."""
        assert self._socket is not None  # noqa: S101
        self._started = monotonic()
        try:
            self._socket.sendall(data)
            while not self._replies:
                received = self._socket.recv(4096)
                if not received:
                    raise self._failure(name, "connection closed")
                self._replies += self._parser.feed(received)
        except TimeoutError:
            raise self._failure(name, "timed out") from None
        except OSError:
            raise self._failure(name, "connection closed") from None
        except BadReplyError:
            raise self._failure(name, "invalid reply") from None
        return self._replies.pop(0)

    def _success(self, name: str) -> DialogueStep:
        return DialogueStep(name, monotonic() - self._started)

    def _failure(self, name: str, reason: str) -> _FailedError:
        seconds = monotonic() - self._started
        return _FailedError(DialogueStep(name, seconds, ok=False, fault=Fault.RELAY, reason=reason))

    def _down(
        self, name: str, down: TransportDownError, code: int | None = None, text: bytes = b""
    ) -> _FailedError:
        status = down.status or enhanced_status(text)
        seconds = monotonic() - self._started
        return _FailedError(
            DialogueStep(
                name, seconds, code, status, ok=False, fault=down.fault, reason=down.reason
            )
        )


def _name(command: bytes) -> str:
    """Return a command's name; "" for a line with credentials, which goes on with AUTH."""
    words = command.decode("ascii").split()
    if words[:1] == ["AUTH"]:
        return " ".join(words[:2])
    return words[0] if words and words[0] in {"EHLO", "STARTTLS"} else ""


def _too_large(size: int, limit: int) -> DialogueStep:
    reason = f"the message has {size} octets, and the relay accepts {limit}"
    return DialogueStep(
        "SIZE",
        0.0,
        552,
        "5.3.4",
        ok=False,
        result=Result.FAILED,
        fault=Fault.MESSAGE,
        reason=reason,
    )

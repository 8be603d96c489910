"""One SMTP connection without I/O or a clock: bytes and messages in, bytes and results out.

There are three ways to hand over messages. The engine uses the best one that the relay offers:

* chunks (PIPELINING and CHUNKING): `MAIL RCPT BDAT n LAST`, with several messages ahead of the
  replies, each after RSET. A refused BDAT leaves its transaction indeterminate (RFC 3030, 4.2),
  and one reader's message must never reach another;
* pipelined: one write has a message's final dot and MAIL, RCPT and DATA of the next message;
* one command at a time.

Every message comes out once: as a result, or in `unsent` if the relay provably does not have it.
If its last octet may have left and the connection ends without a reply, the result is UNKNOWN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from newsletter.transport.decisions import Step, classify, enhanced_status
from newsletter.transport.outcomes import Fault, Result, SendResult, TransportDownError
from newsletter.transport.smtp.authentication import Authenticator
from newsletter.transport.smtp.handshake import Handshake
from newsletter.transport.smtp.message import Message
from newsletter.transport.smtp.output import OutputBuffer
from newsletter.transport.smtp.refusals import ClosingReply, closing_reply, reply_summary
from newsletter.transport.smtp.replies import BadReplyError, ReplyParser
from newsletter.transport.smtp.url import Relay

MAX_WAITING = 262_144
"""Octets waiting to be written beyond which more messages would only use memory."""
_TOO_LARGE = (Result.FAILED, 552, "5.3.4", "", Fault.MESSAGE)


class Engine:
    """The state of one connection.

    After writing from `output`, call its `mark_written`. `closed` is "" while the connection is
    usable, else why it ended. `down` is set if the relay itself is unavailable.
    """

    def __init__(self, relay: Relay, authenticator: Authenticator | None = None) -> None:
        self.output = OutputBuffer()
        self.results: list[SendResult] = []
        self.unsent: list[Message] = []
        self.deferred: dict[int, Message] = {}
        """By position, the messages whose result is DEFERRED: they may be tried again at once."""
        self.closed = ""
        self.down: TransportDownError | None = None
        self.closing_reply: ClosingReply | None = None
        self.started = self.completed = 0
        """How many messages were started on this connection, and how many got a result."""
        self.left_unknown = False
        """Whether the end of the connection made a message UNKNOWN."""
        self.is_slow = False
        """Set by the owner until the relay has replied quickly; a slow relay gets no chunks."""
        self._relay = relay
        self._parser = ReplyParser()
        self._handshake = Handshake(relay, authenticator)
        self._in_flight: deque[Message] = deque()
        self._expected: deque[_Handler] = deque()
        """Handlers of the replies to come; each reply is about the first message in flight."""
        self._awaiting_data: Message | None = None
        """The message whose envelope was sent, until the relay replies to DATA."""
        self._window = 1
        self._needs_reset = False
        self._closing = ""
        """The reason once the relay has said 421, else ""."""
        self._stopping = False

    @property
    def is_ready(self) -> bool:
        """Whether the handshake is over, so that messages can be handed over."""
        return self._handshake.is_ready

    @property
    def wants_tls(self) -> bool:
        return self._handshake.wants_tls

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def awaits_reply(self) -> bool:
        return bool(self._expected) or not self._handshake.is_ready

    @property
    def has_room(self) -> bool:
        """Whether another message can be started."""
        if self._stopping or self._closing or self.closed or self.down:
            return False
        if not self._in_flight:
            return self._handshake.is_ready and not self._expected
        return (
            len(self._in_flight) < self._window
            and self._awaiting_data is None
            and self._handshake.extensions.pipelining
            and self.output.waiting < MAX_WAITING
        )

    def start(self, message: Message) -> None:
        """Start a message. Requires `has_room`."""
        extensions = self._handshake.extensions
        if extensions.size and message.size > extensions.size:
            self.results.append(SendResult(message.position, *_TOO_LARGE))
            return
        self.started += 1
        self._in_flight.append(message)
        size = b" SIZE=%d" % message.size if extensions.declares_size else b""
        mail = b"MAIL FROM:<%b>%b\r\n" % (message.sender, size)
        if not extensions.pipelining:
            self._awaiting_data = message
            self._reset_if_needed()
            self._command(mail, Engine._on_mail_alone)
        elif extensions.chunking and not self.is_slow:
            self._send_chunk(message, mail)
        else:
            self._awaiting_data = message
            # A chunk ahead of this message may yet be refused.
            self._needs_reset |= extensions.chunking and len(self._in_flight) > 1
            self._reset_if_needed()
            self.output.add(b"%bRCPT TO:<%b>\r\nDATA\r\n" % (mail, message.rcpt))
            self._expected += _ENVELOPE

    def receive(self, data: bytes) -> None:
        """Process what the relay sent, however it is split; b"" is the end of the connection."""
        if self.closed:
            return
        if not data:
            self.close(self._closing or "connection closed")
            return
        try:
            self._process(data)
        except BadReplyError:
            self.fail("invalid reply")
        except TransportDownError as down:
            self.down = down
            self.fail(down.reason)
        if self._handshake.wants_tls and not self._parser.is_between_replies:
            self.fail("invalid reply")

    def _process(self, data: bytes) -> None:
        expected = self._expected
        for code, text in self._parser.feed(data):
            if not expected:
                self._on_other_reply(code, text)
            else:
                expected.popleft()(self, code, text)
                if self._closing and not any(message.end for message in self._in_flight):
                    self.close(self._closing)
            if self.closed:
                return

    def tls_established(self) -> None:
        """Continue after the TLS handshake that `wants_tls` asked for."""
        self.output.add(self._handshake.tls_established())

    def resume(self) -> None:
        """Accept messages again after `stop`."""
        self._stopping = False

    def stop(self) -> None:
        """Start no more messages, and end once all that remain are provably not handed over."""
        self._stopping = True
        if self._in_flight and not any(message.end for message in self._in_flight):
            self.fail("stopped")

    def quit(self) -> None:
        """Send QUIT. Nothing may be in flight."""
        self.output.add(b"QUIT\r\n")
        self.closed = "quit"

    def check_alive(self) -> None:
        """After a pause, wait for a reply to RSET: a chunk on a closed one would be UNKNOWN."""
        if self._handshake.extensions.chunking and self.has_room and not self._in_flight:
            self._command(b"RSET\r\n", Engine._on_reset)

    def close(self, reason: str) -> None:
        """The relay closed the connection properly, with EOF.

        After 421 it executed no further command, so nothing that was written behind the command
        it answered was handed over (RFC 5321, 3.8).
        """
        self._end(reason, may_have_accepted=not self._closing)

    def fail(self, reason: str) -> None:
        """The connection broke, or is given up."""
        self._end(reason, may_have_accepted=True)

    def _end(self, reason: str, *, may_have_accepted: bool) -> None:
        if self.closed:
            return
        self.closed = reason
        self._expected.clear()
        for message in self._in_flight:
            in_doubt = may_have_accepted and 0 < message.end <= self.output.maybe_sent
            if message.result is not None:
                self.results.append(message.result)
                self.completed += 1
            elif message.refused_at is None and in_doubt:
                self.results.append(SendResult(message.position, Result.UNKNOWN))
                self.left_unknown = True
            else:
                self.unsent.append(message)
        self._in_flight.clear()

    def _on_other_reply(self, code: int, text: bytes) -> None:
        """Handle a reply of the handshake, or one to no command at all."""
        if not self._handshake.is_ready:
            if self.wants_tls:
                raise BadReplyError  # injected before TLS, perhaps by a man in the middle
            self.output.add(self._handshake.handle_reply(code, text))
        elif code == 421:
            self.closed = f"connection closed: {reply_summary(code, text)}"
            self.closing_reply = closing_reply(code, text)
        else:
            raise BadReplyError

    def _command(self, data: bytes, on_reply: _Handler) -> None:
        self.output.add(data)
        self._expected.append(on_reply)

    def _reset_if_needed(self) -> None:
        if self._needs_reset:
            self._needs_reset = False
            self._command(b"RSET\r\n", Engine._on_reset)

    def _send_chunk(self, message: Message, mail: bytes) -> None:
        reset = b""
        if self._needs_reset or len(self._in_flight) > 1:
            reset = b"RSET\r\n"
            self._expected.append(Engine._on_reset)
        self._needs_reset = False
        self.output.add(
            b"%b%bRCPT TO:<%b>\r\nBDAT %d LAST\r\n" % (reset, mail, message.rcpt, message.size)
        )
        self.output.add_content(message.content, message.size)
        message.end = self.output.queued
        self._expected += _CHUNK

    def _on_reset(self, code: int, text: bytes) -> None:
        if code == 421 and self._in_flight:
            self._refuse(self._in_flight[0], "mail", code, text)
        elif code == 421:  # the reply to `check_alive`
            self._start_closing(reply_summary(code, text), code, text)
        elif not 200 <= code < 300:
            # Which transaction is open is unclear: break off before messages get mixed up.
            self.fail("RSET refused")

    def _on_mail(self, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            self._refuse(self._in_flight[0], "mail", code, text)

    def _on_rcpt(self, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            self._refuse(self._in_flight[0], "rcpt", code, text)

    def _on_mail_alone(self, code: int, text: bytes) -> None:
        self._on_mail(code, text)
        message = self._in_flight[0]
        if message.refused_at is None:
            self._command(b"RCPT TO:<%b>\r\n" % message.rcpt, Engine._on_rcpt_alone)
        else:
            self._complete(message)

    def _on_rcpt_alone(self, code: int, text: bytes) -> None:
        self._on_rcpt(code, text)
        message = self._in_flight[0]
        if message.refused_at is None:
            self._command(b"DATA\r\n", Engine._on_data)
        else:
            self._needs_reset = True
            self._complete(message)

    def _on_data(self, code: int, text: bytes) -> None:
        message = self._in_flight[0]
        if code != 354:
            self._refuse(message, "data", code, text)
            self._needs_reset = True
            self._complete(message)
        elif message.refused_at is None and not (self._stopping or self._closing):
            self._awaiting_data = None
            self.output.add_content(message.content, message.size)
            self._command(b".\r\n", Engine._on_final)
            message.end = self.output.queued
        elif message.refused_at == "rcpt":
            # DATA was accepted although its only recipient was refused (RFC 2920, 3.1).
            self._awaiting_data = None
            self._command(b".\r\n", Engine._on_final)
        else:
            # The relay wants a message that must not be sent: only breaking off avoids that.
            self.fail("stopped" if self._stopping else self._closing or "invalid reply")

    def _on_final(self, code: int, text: bytes) -> None:
        message = self._in_flight[0]
        if 300 <= code < 400:  # neither accepted nor refused
            self.fail("invalid reply")
            return
        if message.refused_at is None and code < 300:
            message.result = SendResult(message.position, Result.SENT, code, enhanced_status(text))
        elif message.refused_at is None:
            self._refuse(message, "final", code, text)
        elif message.refused_at == "mail" and code < 300:
            # The relay refused the sender but accepted the message.
            message.result = SendResult(message.position, Result.UNKNOWN, code)
        self._needs_reset |= code >= 400 or message.refused_at is not None
        self._window = min(self._window + 1, self._relay.window)
        self._complete(message)

    def _refuse(self, message: Message, step: Step, code: int, text: bytes) -> None:
        """Record the first refusal of a message. Without a result the message is unsent."""
        if message.refused_at is not None:
            return
        message.refused_at = step
        verdict = classify(step, code, enhanced_status(text), text)
        message.result = verdict.as_result(message.position, code)
        if message.result is not None:
            return
        reason = f"{step}: {reply_summary(code, text)}"
        if code == 421:
            self._start_closing(reason, code, text)
        else:
            self.down = verdict.as_down(f"{self._relay.redacted_url}: {reason}", code)

    def _start_closing(self, reason: str, code: int, text: bytes) -> None:
        """After 421 the relay closes the connection: process its replies, but write no more."""
        self._closing, self.closing_reply = reason, closing_reply(code, text)
        self.output.discard()

    def _complete(self, message: Message) -> None:
        """Take the first message in flight out: its transaction is over."""
        self._in_flight.popleft()
        if self._awaiting_data is message:
            self._awaiting_data = None
        if message.result is not None:
            self.results.append(message.result)
            self.completed += 1
            if message.result.result is Result.DEFERRED:
                self.deferred[message.position] = message
        else:
            self.unsent.append(message)
        if self._stopping:
            self.stop()


_Handler = Callable[[Engine, int, bytes], None]
_ENVELOPE: tuple[_Handler, ...] = (Engine._on_mail, Engine._on_rcpt, Engine._on_data)
_CHUNK: tuple[_Handler, ...] = (Engine._on_mail, Engine._on_rcpt, Engine._on_final)

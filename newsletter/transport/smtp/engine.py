"""One SMTP connection as a value: bytes and messages in, bytes and outcomes out. No I/O, no clock.

Three ways to hand over, the best that the relay offers:

* chunks (PIPELINING and CHUNKING): `MAIL RCPT BDAT n LAST`, several messages ahead of the replies,
  each after RSET: RFC 3030 (4.2) leaves a transaction whose BDAT was refused indeterminate, and
  one reader's message must never reach another;
* pipelined: the final dot of a message and MAIL, RCPT, DATA of the next in one write;
* one step at a time.

Every message comes out once: in `settled`, or in `unsent`, which says that the relay provably
does not have it. A message whose last octet may have left, and that has no reply when the
connection ends, is settled as UNKNOWN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from newsletter.transport.decisions import Step, enhanced_status, smtp_result
from newsletter.transport.outcomes import Result, SendResult, TransportDownError
from newsletter.transport.smtp.handshake import Handshake, reply_summary
from newsletter.transport.smtp.replies import BadReplyError, ReplyParser
from newsletter.transport.smtp.url import Relay

ENOUGH_WAITING = 262_144
"""Octets that wait to be written: more messages would only fill memory."""


class Message:
    """One reader's message on its way. `content` is 7-bit, ends in CR LF, and no line begins with
    a dot; in pieces, most of them shared by all messages, so that none is copied before the kernel
    does. `end` is where its last octet stands in all that was written, 0 before that is known."""

    __slots__ = ("content", "end", "position", "rcpt", "refused_at", "sender", "size", "verdict")

    def __init__(self, position: int, sender: bytes, rcpt: bytes, content: Sequence[bytes]) -> None:
        self.position = position
        self.sender = sender
        self.rcpt = rcpt
        self.content = content
        self.size = sum(map(len, content))
        self.begin_anew()

    def begin_anew(self) -> None:
        self.end = 0
        self.refused_at: Step | None = None
        self.verdict: SendResult | None = None


class Engine:
    """`out` is what to write, in order; say `wrote` afterwards. `over` is "" while it lives, else
    why it ended; `down` is set where the relay itself cannot be used."""

    def __init__(self, relay: Relay) -> None:
        self.out: list[bytes | memoryview] = []
        self.settled: list[SendResult] = []
        self.unsent: list[Message] = []
        self.over = ""
        self.down: TransportDownError | None = None
        self.code: int | None = None
        """The reply's that ended it, where one did."""
        self.begun = self.taken = 0
        """Messages begun on this connection, and settled by a reply."""
        self.left_doubt = False
        """Whether a message is UNKNOWN because of how it ended."""
        self.queued = self.written = self.reached = 0
        """Octets given to `out`; written; that may have left, with what TLS holds."""
        self.is_slow = False
        """Set from outside while replies are not known to be quick: then there are no chunks."""
        self._relay = relay
        self._replies = ReplyParser()
        self._introduction = Handshake(relay)
        self._flight: deque[Message] = deque()
        self._expected: deque[_Answer] = deque()
        """What the relay owes, in order; each reply is about the first message in flight."""
        self._enveloped: Message | None = None
        self._allowed = 1
        self._must_reset = False
        self._bade_farewell: str = ""
        self._stopping = False

    @property
    def is_ready(self) -> bool:
        return self._introduction.is_ready

    @property
    def wants_tls(self) -> bool:
        return self._introduction.wants_tls

    @property
    def in_flight(self) -> int:
        return len(self._flight)

    @property
    def is_waiting(self) -> bool:
        """Whether the relay owes a reply."""
        return bool(self._expected) or not self._introduction.is_ready

    @property
    def has_room(self) -> bool:
        """Whether another message can begin."""
        if self._stopping or self._bade_farewell or self.over or self.down:
            return False
        ahead = len(self._flight)
        if ahead == 0:
            return self._introduction.is_ready and not self._expected
        return (
            ahead < self._allowed
            and self._enveloped is None
            and self._introduction.features.pipelining
            and self.queued - self.written < ENOUGH_WAITING
        )

    def begin(self, message: Message) -> None:
        """Only where `has_room`."""
        features = self._introduction.features
        if features.size and message.size > features.size:
            self.settled.append(SendResult(message.position, Result.FAILED, status="5.3.4"))
            return
        self.begun += 1
        self._flight.append(message)
        size = b" SIZE=%d" % message.size if features.declares_size else b""
        email = b"MAIL FROM:<%b>%b\r\n" % (message.sender, size)
        if not features.pipelining:
            self._enveloped = message
            self._reset_if_needed()
            self._say(email, Engine._on_mail_alone)
        elif features.chunking and not self.is_slow:
            self._chunk(message, email)
        else:
            self._enveloped = message
            # Behind a chunk that may yet be refused, too.
            self._must_reset |= features.chunking and len(self._flight) > 1
            self._reset_if_needed()
            self._write(b"%bRCPT TO:<%b>\r\nDATA\r\n" % (email, message.rcpt))
            self._expected += _ENVELOPE

    def receive(self, data: bytes) -> None:
        """What the relay said, in whatever pieces; b"" is its end."""
        if self.over:
            return
        if not data:
            self.end(self._bade_farewell or "it hung up")
            return
        try:
            self._hear(data)
        except BadReplyError:
            self.fail("it answered nonsense")
        except TransportDownError as down:
            self.down = down
            self.fail(down.reason)
        if self._introduction.wants_tls and not self._replies.is_between:
            self.fail("it answered nonsense")

    def _hear(self, data: bytes) -> None:
        expected = self._expected
        for code, text in self._replies.feed(data):
            if not expected:
                self._hear_unasked(code, text)
            else:
                expected.popleft()(self, code, text)
                if self._bade_farewell and not any(waiting.end for waiting in self._flight):
                    self.end(self._bade_farewell)
            if self.over:
                return

    def encrypted(self) -> None:
        """The TLS handshake that `wants_tls` asked for is done."""
        self._write(self._introduction.encrypted())

    def wrote(self, count: int) -> None:
        """So many octets of `out` have left."""
        self.written += count
        self.reached = max(self.reached, self.written)
        if self.written == self.queued:
            self.out.clear()
            return
        whole = 0
        while count >= len(self.out[whole]):
            count -= len(self.out[whole])
            whole += 1
        del self.out[:whole]
        if count:
            self.out[0] = memoryview(self.out[0])[count:]

    def resume(self) -> None:
        """Take messages again, after `stop`."""
        self._stopping = False

    def stop(self) -> None:
        """Begin nothing more, and end where all that is left is provably not handed over."""
        self._stopping = True
        if self._flight and not any(message.end for message in self._flight):
            self.fail("stopped")

    def leave(self) -> None:
        """Say goodbye; nothing is in flight."""
        self._write(b"QUIT\r\n")
        self.over = "left"

    def probe(self) -> None:
        """After a pause: no message begins until the relay answered, for a connection that it
        closed meanwhile would swallow a chunk."""
        chunks = self._introduction.features.chunking
        if chunks and self.has_room and not self._flight:
            self._say(b"RSET\r\n", Engine._on_reset)

    def end(self, reason: str) -> None:
        """The connection ended in order, with EOF. After 421 nothing more was executed: what was
        written behind the command that it answered is not handed over (RFC 5321, 3.8)."""
        self._end(reason, doubt=not self._bade_farewell)

    def fail(self, reason: str) -> None:
        """The connection broke, or is given up."""
        self._end(reason, doubt=True)

    def _end(self, reason: str, *, doubt: bool) -> None:
        if self.over:
            return
        self.over = reason
        self._expected.clear()
        for message in self._flight:
            if message.verdict is not None:
                self.settled.append(message.verdict)
                self.taken += 1
            elif message.refused_at is None and doubt and 0 < message.end <= self.reached:
                self.settled.append(SendResult(message.position, Result.UNKNOWN))
                self.left_doubt = True
            else:
                self.unsent.append(message)
        self._flight.clear()

    def _hear_unasked(self, code: int, text: bytes) -> None:
        """A reply to no command about a message."""
        if not self._introduction.is_ready:
            if self.wants_tls:
                raise BadReplyError  # something was said before TLS: a man in the middle, perhaps
            self._write(self._introduction.reply(code, text))
        elif code == 421:
            self.over = f"it hung up: {reply_summary(code, text)}"
        else:
            raise BadReplyError

    def _write(self, data: bytes) -> None:
        if data:
            self.out.append(data)
            self.queued += len(data)

    def _write_content(self, message: Message) -> None:
        self.out += message.content
        self.queued += message.size

    def _say(self, data: bytes, answer: _Answer) -> None:
        self._write(data)
        self._expected.append(answer)

    def _reset_if_needed(self) -> None:
        if self._must_reset:
            self._must_reset = False
            self._say(b"RSET\r\n", Engine._on_reset)

    def _chunk(self, message: Message, email: bytes) -> None:
        reset = b""
        if self._must_reset or len(self._flight) > 1:
            reset = b"RSET\r\n"
            self._expected.append(Engine._on_reset)
        self._must_reset = False
        self._write(
            b"%b%bRCPT TO:<%b>\r\nBDAT %d LAST\r\n" % (reset, email, message.rcpt, message.size)
        )
        self._write_content(message)
        message.end = self.queued
        self._expected += _CHUNK

    def _on_reset(self, code: int, text: bytes) -> None:
        if code == 421 and self._flight:
            self._refuse(self._flight[0], "mail", code, text)
        elif code == 421:  # the answer to `probe`
            self.code = code
            self._farewell(reply_summary(code, text))
        elif not 200 <= code < 300:
            # Whose transaction goes on is open: end this before a message is mixed up.
            self.fail("it refused RSET")

    def _on_mail(self, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            self._refuse(self._flight[0], "mail", code, text)

    def _on_rcpt(self, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            self._refuse(self._flight[0], "rcpt", code, text)

    def _on_mail_alone(self, code: int, text: bytes) -> None:
        self._on_mail(code, text)
        message = self._flight[0]
        if message.refused_at is None:
            self._say(b"RCPT TO:<%b>\r\n" % message.rcpt, Engine._on_rcpt_alone)
        else:
            self._settle(message)

    def _on_rcpt_alone(self, code: int, text: bytes) -> None:
        self._on_rcpt(code, text)
        message = self._flight[0]
        if message.refused_at is None:
            self._say(b"DATA\r\n", Engine._on_data)
        else:
            self._must_reset = True
            self._settle(message)

    def _on_data(self, code: int, text: bytes) -> None:
        message = self._flight[0]
        if code != 354:
            self._refuse(message, "data", code, text)
            self._must_reset = True
            self._settle(message)
        elif message.refused_at is None and not (self._stopping or self._bade_farewell):
            self._enveloped = None
            self._write_content(message)
            self._say(b".\r\n", Engine._on_final)
            message.end = self.queued
        elif message.refused_at == "rcpt":
            # RFC 2920, 3.1: DATA was accepted though its only recipient was not.
            self._enveloped = None
            self._say(b".\r\n", Engine._on_final)
        else:
            # It wants a message from a sender whom it refused: nothing can be sent here but by
            # breaking off.
            self.fail(
                "stopped" if self._stopping else self._bade_farewell or "it answered nonsense"
            )

    def _on_final(self, code: int, text: bytes) -> None:
        message = self._flight[0]
        if 300 <= code < 400:  # neither taken nor refused
            self.fail("it answered nonsense")
            return
        if message.refused_at is None:
            if code < 300:
                message.verdict = SendResult(
                    message.position, Result.SENT, code, enhanced_status(text)
                )
            else:
                self._refuse(message, "final", code, text)
        elif message.refused_at == "mail" and code < 300:
            # It refused the sender, and took the message.
            message.verdict = SendResult(message.position, Result.UNKNOWN, code)
        self._must_reset |= code >= 400 or message.refused_at is not None
        self._allowed = min(self._allowed + 1, self._relay.window)
        self._settle(message)

    def _refuse(self, message: Message, step: Step, code: int, text: bytes) -> None:
        """The first refusal of a message is what it comes to; without a verdict it is unsent."""
        if message.refused_at is not None:
            return
        message.refused_at = step
        status = enhanced_status(text)
        result = smtp_result(step, code, status)
        if result is not None:
            message.verdict = SendResult(message.position, result, code, status)
            return
        reason = f"{step}: {reply_summary(code, text)}"
        self.code = code
        if code == 421:
            self._farewell(reason)
        else:
            self.down = TransportDownError(f"{self._relay.name}: {reason}", code=code)

    def _farewell(self, reason: str) -> None:
        """421: it is about to close. What it still says counts; nothing more is written."""
        self._bade_farewell = reason
        self.out.clear()
        self.written = self.queued

    def _settle(self, message: Message) -> None:
        """The message's transaction is over; those before it are settled."""
        self._flight.popleft()
        if self._enveloped is message:
            self._enveloped = None
        if message.verdict is not None:
            self.settled.append(message.verdict)
            self.taken += 1
        else:
            self.unsent.append(message)
        if self._stopping:
            self.stop()


_Answer = Callable[[Engine, int, bytes], None]
_ENVELOPE: tuple[_Answer, ...] = (Engine._on_mail, Engine._on_rcpt, Engine._on_data)
_CHUNK: tuple[_Answer, ...] = (Engine._on_mail, Engine._on_rcpt, Engine._on_final)

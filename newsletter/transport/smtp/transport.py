"""Hands messages to an SMTP relay, one after another on a connection that is kept."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from newsletter.transport import template
from newsletter.transport.addresses import ace
from newsletter.transport.base import Transport
from newsletter.transport.decisions import Step, smtp_result
from newsletter.transport.outcomes import Handover, Mail, Recipient, Result, TransportDown
from newsletter.transport.smtp.dialogue import ConnectionLost, Dialogue, Reply
from newsletter.transport.smtp.url import Relay, read
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL

_NO_REPLY = Reply(0)


def from_url(url: TransportURL) -> Transport:
    return SmtpTransport(read(url))


class _Refused(Exception):  # noqa: N818 - names the condition
    """A reply that settles this reader's message; the connection is still good."""

    def __init__(self, result: Result, reply: Reply) -> None:
        super().__init__(result.name)
        self.result = result
        self.reply = reply


class SmtpTransport(Transport):
    """Not for use by several threads at once."""

    def __init__(self, relay: Relay) -> None:
        self.name = relay.name[:64]
        self._relay = relay
        self._dialogue: Dialogue | None = None
        self._must_reset = False

    def compile(self, mail: Mail) -> Template:
        return template.compile(mail)

    def send(
        self, compiled: Template, recipients: Sequence[Recipient]
    ) -> Generator[Handover, None, None]:
        date = template.date_header()
        for recipient in recipients:
            message = template.render(compiled, recipient, date=date)
            if isinstance(message, Handover):
                yield message
                continue
            handover = self._hand_over(compiled.sender, recipient, message)
            yield handover
            if handover.result is Result.UNKNOWN:
                raise TransportDown(f"{self.name}: lost after the final dot")

    def close(self) -> None:
        if self._dialogue is not None:
            self._dialogue.quit()
            self._dialogue = None

    def _hand_over(self, sender: str, recipient: Recipient, message: bytes) -> Handover:
        try:
            return self._transaction(sender, recipient, message)
        except _Refused as refused:
            code, status = refused.reply
            return Handover(recipient.position, refused.result, code, status)
        except ConnectionLost as lost:
            # Before the final dot: the relay discards it (RFC 5321, 4.1.1.4).
            self._abort()
            raise TransportDown(f"{self.name}: {lost}") from None
        except BaseException:
            # Stopped in mid-dialogue: an unfinished message is discarded with its connection.
            self._abort()
            raise

    def _transaction(self, sender: str, recipient: Recipient, message: bytes) -> Handover:
        dialogue = self._begun(sender)
        self._must_reset = True
        self._expect("rcpt", dialogue.command(f"RCPT TO:<{ace(recipient.address)}>"))
        self._expect("data", dialogue.command("DATA"), {354})
        dialogue.body(message)
        try:
            reply = dialogue.final_dot()
        except ConnectionLost:
            return self._unknown(recipient)
        if 300 <= reply.code < 400:  # neither taken nor refused
            return self._unknown(recipient, reply)
        self._must_reset = False
        self._expect("final", reply)
        return Handover(recipient.position, Result.SENT, reply.code, reply.status)

    def _unknown(self, recipient: Recipient, reply: Reply = _NO_REPLY) -> Handover:
        self._abort()
        return Handover(recipient.position, Result.UNKNOWN, reply.code or None, reply.status)

    def _begun(self, sender: str) -> Dialogue:
        """A connection on which MAIL was accepted. One that was kept may have been closed by the
        relay meanwhile: then another is opened, once."""
        dialogue = self._dialogue
        if dialogue is not None:
            try:
                reply = self._mail(dialogue, sender)
                if reply.code != 421:
                    self._expect("mail", reply)
                    return dialogue
            except ConnectionLost:
                pass
            self._abort()
        self._dialogue = dialogue = Dialogue(self._relay)
        self._must_reset = False
        self._expect("mail", self._mail(dialogue, sender))
        return dialogue

    def _mail(self, dialogue: Dialogue, sender: str) -> Reply:
        if self._must_reset:
            reply = dialogue.command("RSET")
            if not reply.is_good:
                raise ConnectionLost("it refused RSET")
            self._must_reset = False
        return dialogue.command(f"MAIL FROM:<{sender}>")

    def _expect(
        self, step: Step, reply: Reply, good: frozenset[int] | set[int] = frozenset()
    ) -> None:
        if reply.code in good or (not good and 200 <= reply.code < 300):
            return
        result = smtp_result(step, reply.code, reply.status)
        if result is None:
            raise TransportDown(f"{self.name}: {step}: {reply}", code=reply.code)
        raise _Refused(result, reply)

    def _abort(self) -> None:
        if self._dialogue is not None:
            self._dialogue.abort()
            self._dialogue = None

"""Hands messages to an SMTP relay over connections that are kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

from newsletter.transport import template
from newsletter.transport.base import Transport, never
from newsletter.transport.outcomes import Email, Recipient, SendResult
from newsletter.transport.smtp.engine import Message
from newsletter.transport.smtp.event_loop import Pool, Sending
from newsletter.transport.smtp.url import Relay, read
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL


def from_url(url: TransportURL) -> Transport:
    return SmtpTransport(read(url))


class SmtpTransport(Transport):
    """Not for use by several threads at once."""

    def __init__(self, relay: Relay) -> None:
        self.name = relay.name[:64]
        self._relay = relay
        self._pool = Pool(relay)

    def compile(self, email: Email) -> Template:
        return template.compile(email, signer=self._relay.signer)

    def send(
        self,
        compiled: Template,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never,
        ahead: int | None = None,
    ) -> Generator[SendResult, None, None]:
        room = self._relay.connections * self._relay.window if ahead is None else ahead
        sending = Sending(
            self._pool,
            self._messages(compiled, recipients),
            stop=stop,
            ahead=room + self._relay.connections,
        )
        return sending.run()

    def close(self) -> None:
        self._pool.close()

    def _messages(
        self, compiled: Template, recipients: Iterable[Recipient]
    ) -> Iterator[Message | SendResult]:
        date = template.date_header()
        sender, domain = compiled.sender.encode(), self._relay.return_path.encode()
        for recipient in recipients:
            rendered = template.render(compiled, recipient, date=date)
            if isinstance(rendered, SendResult):
                yield rendered
            else:
                to, content = rendered
                if domain:
                    sender = b"bounce+%b@%b" % (recipient.delivery_id.encode(), domain)
                yield Message(recipient.position, sender, to, content)

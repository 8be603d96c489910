"""Hands messages to an SMTP relay over connections that are kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

from newsletter.transport import template
from newsletter.transport.base import Transport, never_stop
from newsletter.transport.outcomes import Email, Recipient, SendResult
from newsletter.transport.smtp.engine import Message
from newsletter.transport.smtp.event_loop import ConnectionPool, SendLoop
from newsletter.transport.smtp.url import Relay, parse_relay
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL


def from_url(url: TransportURL) -> Transport:
    return SmtpTransport(parse_relay(url))


class SmtpTransport(Transport):
    """Not for use by several threads at once."""

    def __init__(self, relay: Relay) -> None:
        self.name = relay.name[:64]
        self._relay = relay
        self._pool = ConnectionPool(relay)

    def compile(self, email: Email) -> Template:
        return template.compile(email, signer=self._relay.signer)

    def send(
        self,
        compiled: Template,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: int | None = None,
    ) -> Generator[SendResult, None, None]:
        room = self._relay.connections * self._relay.window if max_pending is None else max_pending
        sending = SendLoop(
            self._pool,
            self._messages(compiled, recipients),
            stop=stop,
            max_pending=room + self._relay.connections,
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

"""Sends to an SMTP relay over persistent connections."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from time import monotonic

from newsletter.transport import template
from newsletter.transport.base import Transport, never_stop
from newsletter.transport.outcomes import Email, Recipient, SendResult
from newsletter.transport.pace import Pace
from newsletter.transport.smtp.connection_limit import LearnedLimit
from newsletter.transport.smtp.dialogue import Dialogue, DialogueStep
from newsletter.transport.smtp.event_loop import SendLoop
from newsletter.transport.smtp.message import Message
from newsletter.transport.smtp.pool import ConnectionPool
from newsletter.transport.smtp.url import Relay, parse_relay
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL


def from_url(url: TransportURL) -> SmtpTransport:
    """Return the transport of an smtp or smtps URL. Raises TransportURLError."""
    return SmtpTransport(parse_relay(url), Pace(url.limits))


class SmtpTransport(Transport[Template]):
    """Sends over a pool of connections. Not thread-safe."""

    def __init__(self, relay: Relay, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.name = relay.redacted_url[:64]
        self.connections = relay.connections
        self._relay = relay
        self._pool = ConnectionPool(relay)

    def learned(self) -> dict[str, float | None]:
        return self._pool.limit.learned(monotonic())._asdict()

    def adopt(self, learned: Mapping[str, float | None], *, age: float) -> None:
        self._pool.limit.adopt(LearnedLimit.aged(learned, age), monotonic())

    def compile(self, email: Email) -> Template:
        return template.compile(email, signer=self._relay.signer)

    def send(
        self,
        compiled: Template,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: Callable[[], int] | None = None,
    ) -> Generator[SendResult, None, None]:
        relay = self._relay
        all_in_flight = relay.connections * relay.window

        def most_pending() -> int:
            return relay.connections + (max_pending() if max_pending else all_in_flight)

        loop = SendLoop(
            self._pool,
            self._messages(compiled, self.pace.within_allowance(recipients)),
            self.pace,
            stop=stop,
            max_pending=most_pending,
        )
        self.pace.begin()
        yield from loop.run()
        self.pace.end()

    def close(self) -> None:
        self._pool.close()

    def dialogue(self, email: Email, recipient: Recipient) -> Iterator[DialogueStep]:
        """Send one message over a separate connection, and yield each step of the session."""
        [message] = self._messages(self.compile(email), [recipient])
        if isinstance(message, SendResult):
            status, result = message.status, message.result
            yield DialogueStep("address", 0.0, status=status, ok=False, result=result)
            return
        yield from Dialogue(self._relay, self._pool.tls_context()).steps(message)

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

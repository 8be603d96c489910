"""A transport that keeps messages in memory, for tests and trials: `memory://NAME`.

Within a process a name always gives the same object, so that a test can script and inspect the
transport that the sender uses.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from newsletter.transport import template
from newsletter.transport.base import Transport, TransportURLError, never_stop
from newsletter.transport.outcomes import (
    Email,
    Fault,
    Recipient,
    Result,
    SendResult,
    TransportDownError,
)
from newsletter.transport.pace import Pace
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL

_transports: dict[str, MemoryTransport] = {}


def from_url(url: TransportURL) -> MemoryTransport:
    """Return the transport of a `memory://` URL. Raises TransportURLError."""
    url.require_known_options(frozenset())
    if url.user or url.port or url.path not in {"", "/"}:
        raise TransportURLError("memory: use memory:// or memory://NAME")
    transport = get_transport(url.host)
    transport.pace = Pace(url.limits)
    return transport


def get_transport(name: str = "") -> MemoryTransport:
    """Return the transport of `memory://NAME`."""
    return _transports.setdefault(name, MemoryTransport(name))


def clear() -> None:
    """Discard all transports."""
    _transports.clear()


@dataclass(frozen=True)
class DeliveredMessage:
    """A message as it was handed over."""

    position: int
    delivery_id: str
    address: str = field(repr=False)
    message: bytes = field(repr=False)

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.message, policy=policy.default)


class MemoryTransport(Transport[Template]):
    """Accepts every message, unless `script`, `script_calls` or `down_after` says otherwise.

    `delivered` has the messages that were accepted, including UNKNOWN ones, which may have been.
    `send_results` has every result that was yielded, and `calls` how many recipients each call of
    `send` consumed. With a `window` it behaves like a provider: all messages are accepted before
    the first result is yielded.
    """

    def __init__(self, name: str = "", *, window: int | None = None) -> None:
        self.name = f"memory://{name}"
        self.window = window
        self.pace = Pace()
        self.reset()

    def reset(self) -> None:
        """Clear all messages, results and scripts."""
        self.delivered: list[DeliveredMessage] = []
        self.send_results: list[SendResult] = []
        self.compiled: list[Email] = []
        self.calls: list[int] = []
        self.closed = 0
        self.hold: threading.Event | None = None
        """If not None, `send` waits for this event before each message."""
        self.down_after: int | None = None
        """How many messages to accept before raising TransportDownError; 0 raises it at once."""
        self.down = TransportDownError("scripted")
        self.on_message: Callable[[Recipient], None] | None = None
        """Called before each message; its exceptions propagate from `send`."""
        self._scripts: defaultdict[str, deque[SendResult]] = defaultdict(deque)
        self._calls: deque[TransportDownError | None] = deque()

    def script(
        self,
        address: str,
        *results: Result,
        code: int | None = None,
        status: str = "",
        fault: Fault = Fault.NONE,
    ) -> None:
        """Set the results of the next messages to this address, in order; later ones are SENT."""
        self._scripts[address.casefold()].extend(
            SendResult(0, r, code, status, fault=fault) for r in results
        )

    def clear_script(self, address: str) -> None:
        """Accept the next messages to this address again."""
        self._scripts.pop(address.casefold(), None)

    def script_calls(self, *calls: TransportDownError | None) -> None:
        """Set an error, or None, for each of the next calls of `send`, which raises it at once."""
        self._calls.extend(calls)

    def to(self, address: str) -> list[DeliveredMessage]:
        """Return the messages delivered to an address, in order."""
        return [
            message
            for message in self.delivered
            if message.address.casefold() == address.casefold()
        ]

    def compile(self, email: Email) -> Template:
        compiled = template.compile(email)
        self.compiled.append(email)
        return compiled

    def send(
        self,
        compiled: Template,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: Callable[[], int] | None = None,
    ) -> Generator[SendResult, None, None]:
        self.calls.append(0)
        down = self._calls.popleft() if self._calls else None
        if down is not None:
            raise down
        self.pace.begin()
        recipients = self.pace.within_allowance(recipients)
        if self.window is None:
            yield from self._each(compiled, recipients, stop)
        else:
            yield from _settle_all_first(self._each(compiled, recipients, never_stop))
        self.pace.end()

    def close(self) -> None:
        self.closed += 1

    def _each(
        self, compiled: Template, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> Iterator[SendResult]:
        date = template.date_header()
        for recipient in recipients:
            if stop() or not self.pace.wait_for_turn(stop):
                return
            self.calls[-1] += 1
            self._before(recipient)
            send_result = self._settle(compiled, recipient, date)
            self.send_results.append(send_result)
            if send_result.result is Result.SENT:
                self.pace.accepted(1)
            yield send_result

    def _before(self, recipient: Recipient) -> None:
        if self.hold is not None:
            self.hold.wait()
        if self.on_message is not None:
            self.on_message(recipient)
        if self.down_after is not None:
            if self.down_after <= 0:
                raise self.down
            self.down_after -= 1

    def _settle(self, compiled: Template, recipient: Recipient, date: bytes) -> SendResult:
        rendered = template.render(compiled, recipient, date=date)
        if isinstance(rendered, SendResult):
            return rendered
        script = self._scripts[recipient.address.casefold()]
        scripted = script.popleft() if script else SendResult(0, Result.SENT, 250, "2.0.0")
        if scripted.result in {Result.SENT, Result.UNKNOWN}:
            self.delivered.append(
                DeliveredMessage(
                    recipient.position,
                    recipient.delivery_id,
                    recipient.address,
                    b"".join(rendered[1]),
                )
            )
        return scripted._replace(position=recipient.position)


def _settle_all_first(settled: Iterator[SendResult]) -> Iterator[SendResult]:
    results: list[SendResult] = []
    down: TransportDownError | None = None
    try:
        for send_result in settled:
            results.append(send_result)
    except TransportDownError as raised:
        down = raised
    yield from results
    if down is not None:
        raise down

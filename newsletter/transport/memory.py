"""A transport that keeps what it is given, for tests and trials: `memory://NAME`.

The same name is the same object within a process, so that a test can script and look into what
the sender uses.
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
from newsletter.transport.outcomes import Email, Recipient, Result, SendResult, TransportDownError
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL

_transports: dict[str, MemoryTransport] = {}


def from_url(url: TransportURL) -> Transport:
    """Raises TransportURLError."""
    url.only(frozenset())
    if url.user or url.port or url.path not in {"", "/"}:
        raise TransportURLError("memory: memory:// or memory://NAME")
    return get_transport(url.host)


def get_transport(name: str = "") -> MemoryTransport:
    """The transport of `memory://NAME`."""
    return _transports.setdefault(name, MemoryTransport(name))


def clear() -> None:
    """Every name begins anew."""
    _transports.clear()


@dataclass(frozen=True)
class DeliveredMessage:
    """One message as it was taken."""

    position: int
    delivery_id: str
    address: str = field(repr=False)
    message: bytes = field(repr=False)

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.message, policy=policy.default)


class MemoryTransport(Transport):
    """Takes every message, unless told otherwise by `script`, `scripted`, `down_after`.

    `delivered` holds what was taken, UNKNOWN ones included: they may have been. `handovers` is
    all that was yielded, `calls` how many each call of `send` pulled. With a `window`
    it is as a provider: all are taken before the first result is yielded.
    """

    def __init__(self, name: str = "", *, window: int | None = None) -> None:
        self.name = f"memory://{name}"
        self.window = window
        self.reset()

    def reset(self) -> None:
        """Forget everything, scripts included."""
        self.delivered: list[DeliveredMessage] = []
        self.send_results: list[SendResult] = []
        self.compiled: list[Email] = []
        self.calls: list[int] = []
        self.closed = 0
        self.hold: threading.Event | None = None
        """While set to an event that is not set, `send` waits before each message."""
        self.down_after: int | None = None
        """Messages until TransportDown is raised; 0: at once."""
        self.down = TransportDownError("scripted")
        self.on_message: Callable[[Recipient], None] | None = None
        """Called before each message; what it raises leaves `send`."""
        self._scripts: defaultdict[str, deque[SendResult]] = defaultdict(deque)
        self._calls: deque[TransportDownError | None] = deque()

    def script(
        self, address: str, *results: Result, code: int | None = None, status: str = ""
    ) -> None:
        """What the next messages to this address come to, one after another; then SENT again."""
        self._scripts[address.casefold()].extend(SendResult(0, r, code, status) for r in results)

    def script_calls(self, *calls: TransportDownError | None) -> None:
        """For each of the next calls of `send`: raised at its beginning, or None."""
        self._calls.extend(calls)

    def to(self, address: str) -> list[DeliveredMessage]:
        """What was delivered to an address, in order."""
        return [email for email in self.delivered if email.address.casefold() == address.casefold()]

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
        max_pending: int | None = None,
    ) -> Generator[SendResult, None, None]:
        self.calls.append(0)
        down = self._calls.popleft() if self._calls else None
        if down is not None:
            raise down
        if self.window is None:
            yield from self._each(compiled, recipients, stop)
        else:
            yield from _settle_all_first(self._each(compiled, recipients, never_stop))

    def close(self) -> None:
        self.closed += 1

    def _each(
        self, compiled: Template, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> Iterator[SendResult]:
        date = template.date_header()
        for recipient in recipients:
            if stop():
                return
            self.calls[-1] += 1
            self._before(recipient)
            send_result = self._settle(compiled, recipient, date)
            self.send_results.append(send_result)
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
        return SendResult(recipient.position, scripted.result, scripted.code, scripted.status)


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

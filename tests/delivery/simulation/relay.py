"""A simulated relay: it answers as a test scripts it, and records what it accepted and when."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from newsletter.delivery.message_ids import parse_delivery_id
from newsletter.transport.base import Transport, never_stop
from newsletter.transport.outcomes import Email, Recipient, Result, SendResult, TransportDownError
from tests.delivery.simulation.base import Simulation, StepKind


class Answer(Enum):
    """What the relay does with a message."""

    ACCEPT = "250"
    DEFER = "451"
    REFUSE = "550"
    DISCONNECT = "closes the connection before the final dot"
    ACCEPT_AND_DISCONNECT = "accepts the message, and closes the connection before it replies"
    LOSE_AND_DISCONNECT = "closes the connection at the final dot, without accepting the message"
    DEFER_AND_DISCONNECT = "451, and closes the connection"


@dataclass
class Relay(Transport[Email]):
    """Answers as scripted, then ACCEPT, and records each acceptance.

    With a `window` it behaves as a provider: all messages of a call are settled before the first
    result is reported. `pipelined` messages are sent ahead of the replies.
    """

    simulation: Simulation
    window: int | None = None
    pipelined: int = 0
    name: str = "simulated://relay"
    accepted: list[tuple[int, int]] = field(default_factory=list)
    """(subscriber ID, number of the step at which the message was accepted)"""
    unanswered: int = 0
    on_accept: Callable[[], None] = lambda: None
    _disconnects: bool = False
    script: defaultdict[int, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))

    __hash__ = object.__hash__

    def compile(self, email: Email) -> Email:
        return email

    def close(self) -> None:
        return

    def send(
        self,
        compiled: Email,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: Callable[[], int] | None = None,
    ) -> Generator[SendResult, None, None]:
        if self.window is None:
            assert max_pending is None or self.pipelined <= max_pending()
            yield from self._one_after_another(recipients, stop)
            return
        results: list[SendResult] = []
        down: TransportDownError | None = None
        try:
            results.extend(self._one_after_another(recipients, never_stop))
        except TransportDownError as raised:
            down = raised
        yield from results
        if down is not None:
            raise down

    def _one_after_another(
        self, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> Iterator[SendResult]:
        """Settle messages in order, as the real SMTP transport does.

        Up to `pipelined` more messages are handed over before the first result is reported.
        Whatever ends the call, results in flight are reported first.
        """
        self._disconnects = False
        in_flight: deque[SendResult] = deque()
        error: Exception | None = None
        try:
            for recipient in recipients:
                if stop():
                    break
                trace = parse_delivery_id(recipient.delivery_id)
                assert trace is not None
                self.simulation.step(StepKind.RELAY)
                in_flight.append(self._answer(recipient.position, trace.subscriber_id))
                self.simulation.step(StepKind.RELAY)
                self.on_accept()
                if in_flight[-1].result is Result.UNKNOWN or self._disconnects:
                    raise TransportDownError("simulated: lost after the final dot")
                if len(in_flight) > self.pipelined:
                    yield in_flight.popleft()
        except Exception as raised:  # noqa: BLE001 - raised below
            error = raised
        yield from in_flight
        if error is not None:
            raise error

    def _answer(self, position: int, subscriber: int) -> SendResult:
        script = self.script[subscriber]
        answer = script.popleft() if script else Answer.ACCEPT
        if answer in {Answer.ACCEPT, Answer.ACCEPT_AND_DISCONNECT}:
            self.accepted.append((subscriber, self.simulation.steps))
        match answer:
            case Answer.ACCEPT:
                return SendResult(position, Result.SENT, 250)
            case Answer.DEFER | Answer.DEFER_AND_DISCONNECT:
                self._disconnects = answer is Answer.DEFER_AND_DISCONNECT
                return SendResult(position, Result.DEFERRED, 451, "4.7.1")
            case Answer.REFUSE:
                return SendResult(position, Result.REFUSED, 550, "5.1.1")
            case Answer.DISCONNECT:
                raise TransportDownError("simulated: connection lost")
        self.unanswered += 1
        return SendResult(position, Result.UNKNOWN)

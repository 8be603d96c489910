"""Compares the calls of one `send`, so that no reader is blamed for a fault of everybody's (D8).

Pure. A provider whose error names no recipient leaves it to bisection to find one. The last part of
a bisection looks the same whether that recipient is at fault or the message is, unless another part
was accepted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from newsletter.transport.decisions import CallStatus
from newsletter.transport.esp.errors import CallFailure
from newsletter.transport.outcomes import Fault, Result, SendResult

MAX_CONSECUTIVE_REJECTIONS = 25
"""After so many rejected calls in a row, no recipient can be to blame."""


@dataclass
class Run:
    """What has become of the calls of one `send`.

    In a batch, the recipients that bisection isolates are held until a call is accepted. Without
    batches they are reported at once, as SMTP does, and the caller compares them.
    """

    is_batch: bool
    accepted: bool = False
    _rejections: int = 0
    """In a row."""
    _held: list[SendResult] = field(default_factory=list)
    """A fault of NONE is one that the provider doesn't explain."""
    _isolated: int = 0
    _last: CallFailure | None = None

    def accept(self, results: Sequence[SendResult]) -> Iterator[SendResult]:
        """Yield the results of an accepted call, and those held that it confirms."""
        if any(each.result is Result.SENT for each in results):
            self.accepted = True
            self._rejections = 0
            yield from (_explain(each, Fault.READER) for each in self._held)
            self._held.clear()
        yield from results

    def reject(self, failure: CallFailure) -> None:
        """Count a rejected call."""
        self._rejections += 1
        self._last = failure

    def isolate(self, position: int, failure: CallFailure) -> Iterator[SendResult]:
        """Take the refusal of a call with one recipient; yield its result if it is known."""
        self._isolated += 1
        is_named = failure.fault is Fault.READER
        result = SendResult(
            position,
            Result.REFUSED if is_named else Result.FAILED,
            failure.code,
            failure.enhanced_status,
            fault=failure.fault,
        )
        if self.accepted:
            yield _explain(result, Fault.READER)
        elif self.is_batch:
            self._held.append(result)
        else:
            yield _explain(result, Fault.MESSAGE)

    @property
    def is_hopeless(self) -> bool:
        """Whether so many calls in a row were rejected that more would only cost time."""
        return self._rejections >= MAX_CONSECUTIVE_REJECTIONS

    def end(self) -> Iterator[SendResult]:
        """Yield the held refusals that are the recipient's fault by the provider's own words.

        The caller, which compares more than one run, decides whether they count. The others are
        unsent, because `blames_message` is True then, unless nobody else is there to compare with.
        """
        yield from (each for each in self._held if each.fault is Fault.READER)
        self._held = [each for each in self._held if each.fault is not Fault.READER]
        if self._isolated == 1 and not self.is_hopeless:
            yield from (_explain(each, Fault.MESSAGE) for each in self._held)
            self._held.clear()

    @property
    def blames_message(self) -> bool:
        """Whether nothing but the message explains what was refused."""
        return bool(self._held)

    def as_failure(self) -> CallFailure:
        """Return why everybody is refused: it is the message's fault if nobody says otherwise."""
        failure = self._last or CallFailure(CallStatus.REJECTED, "no call")
        fault = Fault.MESSAGE if failure.fault is Fault.NONE else failure.fault
        reason = f"the provider rejects every message: {failure.reason}"
        return dataclasses.replace(failure, reason=reason, fault=fault)


def _explain(result: SendResult, fault: Fault) -> SendResult:
    """Return the result with this fault if the provider gave none."""
    return result._replace(fault=fault) if result.fault is Fault.NONE else result

"""Compare readers before a refusal counts against anyone (D8). Pure: results in, results out.

A relay that refuses everybody says the same words as one that refuses a single reader: a quota,
an unpaid bill or a broken setup looks like sixty mailboxes that are gone. So a refusal counts only
once the relay has accepted a message that was started after it. Until then it is *held back*: the
batch stores it as deferred, which is safe after a crash, because the relay provably didn't take the
message. If many in a row are refused, or a whole run is, the mailing is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from newsletter.transport.outcomes import Fault, Result, SendResult

MAX_IN_A_ROW = 20
"""This many refusals in a row, with none accepted in between, hold the mailing."""
MIN_TO_HOLD = 3
"""Fewer refusals than this at the end of a batch don't hold a mailing in which others got it."""
_PERMANENT = frozenset({Result.REFUSED, Result.FAILED})


@dataclass(frozen=True)
class Refusal:
    """Why a mailing is held: the most common of the replies, and how many readers got it."""

    fault: Fault
    code: int | None
    status: str
    readers: int


@dataclass
class Comparison:
    """Compares the refusals of one batch. `refusal` is set once the mailing must be held.

    `is_retry` is False in the readers' first round. `domain_of` returns the domain of the reader
    at a position: it tells one domain's policy from a fault that concerns everybody.
    `refused_before` counts the refusals since the transport last accepted a message, in earlier
    batches: an edition that few readers get makes small batches. `last_permitted` is the last
    position that may have been started: with several connections, a relay that begins to refuse
    everybody refuses some messages before it accepts its last ones.
    """

    is_retry: bool
    domain_of: Callable[[int], str]
    refused_before: int = 0
    last_permitted: int = 0
    accepted: list[int] = field(default_factory=list)
    """The positions that were accepted."""
    held_back: list[SendResult] = field(default_factory=list)
    refusal: Refusal | None = None
    _not_readers: list[SendResult] = field(default_factory=list)
    """Refusals with an acceptance after them that aren't the reader's fault."""
    _readers: list[SendResult] = field(default_factory=list)
    """Those that are, until a message is accepted that was started after the refusal had come."""
    _started: dict[int, int] = field(default_factory=dict)
    """By the position of a refusal, the last position that may have been started when it came."""
    _highest: int = 0

    def accepts_plainly(self, result: SendResult) -> bool:
        """Take an acceptance that decides about no one else; return False if it isn't one."""
        if result.result is not Result.SENT or self.held_back or self._readers:
            return False
        position = result.position
        if position > self._highest:
            self._highest = position
        self.accepted.append(position)
        return True

    def add(self, result: SendResult) -> Sequence[SendResult]:
        """Take one result; return what to record now: this one, and earlier ones it confirms.

        A refusal is returned as deferred at first, and again as it was once it is confirmed.
        """
        if self.accepts_plainly(result):
            return (result,)
        position = result.position
        self._highest = max(self._highest, position)
        if result.result is Result.SENT:
            self.accepted.append(position)
            return [result, *self._confirm_before(position)]
        if result.result not in _PERMANENT or result.fault is Fault.NONE:
            return [result]
        self.held_back.append(result)
        self._started[result.position] = max(self._highest, self.last_permitted)
        if self.refusal is None and self.in_a_row >= MAX_IN_A_ROW:
            self.refusal = _most_common(self.held_back)
        return [result._replace(result=Result.DEFERRED)]

    @property
    def in_a_row(self) -> int:
        """How many were refused since the last acceptance."""
        return len(self.held_back) + (0 if self.accepted else self.refused_before)

    def _confirm_before(self, position: int) -> list[SendResult]:
        """Confirm the refusals that came before this position's message was started."""
        if self.refusal is not None:
            return []
        earlier = [each for each in self.held_back if each.position < position]
        self.held_back = [each for each in self.held_back if each.position > position]
        self._not_readers += [each for each in earlier if each.fault is not Fault.READER]
        self._readers += [each for each in earlier if each.fault is Fault.READER]
        confirmed = [each for each in self._readers if self._started[each.position] < position]
        self._readers = [each for each in self._readers if each not in confirmed]
        return confirmed

    def end(
        self, *, accepted_earlier: Callable[[], bool], others_wait: Callable[[], bool]
    ) -> list[SendResult]:
        """End the batch; return the refusals to record after all. The others stay deferred.

        `accepted_earlier` says whether the mailing had any message accepted before this batch, and
        `others_wait` whether it has more readers to compare these with.
        """
        if self.refusal is not None or not (self.held_back or self._not_readers or self._readers):
            return []
        reached = {self.domain_of(position) for position in self.accepted}
        if not self.accepted and not accepted_earlier():
            return [] if others_wait() else self._end_without_acceptance()
        blamed = [each for each in self.held_back if each.fault is not Fault.READER]
        domains = {self.domain_of(each.position) for each in blamed}
        if len(blamed) >= MIN_TO_HOLD and (len(domains) > 1 or domains & reached):
            self.refusal = _most_common(blamed)
            return []
        final = list(self._readers)
        at_the_end = [each for each in self.held_back if each.fault is Fault.READER]
        # Several at the end may be the first whom a relay refuses like everybody after them, in the
        # next batch: try them again.
        if self.is_retry or len(at_the_end) < MIN_TO_HOLD:
            final += at_the_end
        # Others at the same domain got it, so this may be a quota that was just reached: try again.
        for each in self._not_readers + blamed:
            if self.is_retry or self.domain_of(each.position) not in reached:
                final.append(each)
        return final

    def _end_without_acceptance(self) -> list[SendResult]:
        """Nobody was accepted, so nobody can be compared and no refusal counts."""
        readers_fault = all(each.fault is Fault.READER for each in self.held_back)
        if readers_fault and len(self.held_back) < MIN_TO_HOLD:
            # A mailing to one or two readers ends for them, but isn't held against them.
            return [each._replace(result=Result.FAILED) for each in self.held_back]
        self.refusal = _most_common(self.held_back)
        return []


def _most_common(refusals: Iterable[SendResult]) -> Refusal:
    replies = Counter((each.fault, each.code, each.status) for each in refusals)
    [((fault, code, status), readers)] = replies.most_common(1)
    return Refusal(fault, code, status, readers)

"""How a batch ends, decided from what is known of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.transport.outcomes import Result

ReplyCodes = tuple[int | None, str]
"""Reply code and enhanced status."""

_RESULTS = tuple(Result)
_NO_REPLY: ReplyCodes = (None, "")


class OutcomeRow(NamedTuple):
    """One reader's outcome, to be inserted."""

    subscriber_id: int
    result: Result
    reply: ReplyCodes = (None, "")


@dataclass(frozen=True)
class Settlement:
    """`lines` are final; `again` go into a successor, `deferred` says whether a peer asked to
    wait for any of them, and `asked` by which reply most often; `results` is what is stored for
    looking at."""

    lines: list[OutcomeRow]
    again: list[int] = field(default_factory=list)
    deferred: bool = False
    results: bytes = b""
    asked: ReplyCodes = (None, "")


def settle(
    readers: Sequence[int],
    results: bytes,
    replies: Mapping[int, ReplyCodes],
    *,
    unknown_below: int,
    rest_becomes: Result | None = None,
) -> Settlement:
    """Decide each position of a batch.

    `results` may be shorter than `readers`. A position without a result is unknown below
    `doubt_below` (permitted to somebody who did not come back), else provably unsent. What is
    unsent or deferred goes on in a successor, or, where `rest_becomes` is given, ends as that. Whoever
    was next in line goes last there: a message that itself breaks the connection holds up nobody.
    """
    lines: list[OutcomeRow] = []
    again: list[int] = []
    deferred: Counter[ReplyCodes] = Counter()
    next_in_line: list[int] = []
    final = bytearray(results.ljust(len(readers), b"\0"))
    for position, reader in enumerate(readers):
        result = _RESULTS[final[position]]
        if result is Result.NONE and position < unknown_below:
            result = Result.UNKNOWN
        if result is Result.NONE or result is Result.DEFERRED:
            if rest_becomes is None:
                if result is Result.DEFERRED:
                    deferred[replies.get(position, _NO_REPLY)] += 1
                is_next = result is Result.NONE and not next_in_line
                (next_in_line if is_next else again).append(reader)
                continue
            result = rest_becomes
        final[position] = result
        lines.append(OutcomeRow(reader, result, replies.get(position, _NO_REPLY)))
    [(asked, _)] = deferred.most_common(1) or [(_NO_REPLY, 0)]
    return Settlement(lines, again + next_in_line, bool(deferred), bytes(final), asked)

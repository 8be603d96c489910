"""The readers of a batch, and how each of them ends. Pure: no database, no clock."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from newsletter.transport.outcomes import Result

WIDTH = 8
MODULUS = 2**63


class ReplyCodes(NamedTuple):
    """What is kept of a reply: its code (SMTP or HTTP), its enhanced status (RFC 3463), and whose
    fault the refusal is (a transport.outcomes.Fault)."""

    code: int | None = None
    status: str = ""
    fault: str = ""


_RESULTS = tuple(Result)
_NO_REPLY = ReplyCodes()


def pack(ids: Iterable[int]) -> bytes:
    """Return the IDs as signed 8-byte big-endian integers, in order."""
    ids = list(ids)
    return struct.pack(f">{len(ids)}q", *ids)


def unpack(packed: bytes | memoryview) -> list[int]:
    """Return the IDs that `pack` packed."""
    packed = bytes(packed)
    return list(struct.unpack(f">{len(packed) // WIDTH}q", packed))


def checksum(ids: Iterable[int]) -> int:
    """Return the sum of the IDs' hashes, modulo 2**63.

    The order doesn't matter, and an ID can be added or replaced without reading the others.
    """
    packed = (number.to_bytes(WIDTH, "big", signed=True) for number in ids)
    return sum(int.from_bytes(blake2b(each, digest_size=8).digest()) for each in packed) % MODULUS


class OutcomeRow(NamedTuple):
    """One reader's outcome, to be inserted into the ledger."""

    subscriber_id: int
    result: Result
    reply: ReplyCodes = _NO_REPLY


@dataclass(frozen=True)
class Settlement:
    """How each reader of a batch ends."""

    outcomes: list[OutcomeRow]
    """Final."""
    to_retry: list[int]
    """Subscriber IDs for the successor, in the order in which to try them."""
    deferred: bool
    """Whether a peer deferred any reader to retry."""
    results: bytes
    """One byte per position, kept on the closed batch for inspection."""
    common_deferral: ReplyCodes
    """The most common of the replies that deferred a reader."""


def settle(
    readers: Sequence[int],
    results: bytes,
    replies: Mapping[int, ReplyCodes],
    *,
    unknown_below: int,
    rest_becomes: Result | None = None,
) -> Settlement:
    """Return the settlement of a batch, position by position.

    `results` may be shorter than `readers`. A position without a result is unknown if it is below
    `unknown_below` (it was permitted to a worker that died), and provably unsent otherwise.

    Unsent and deferred readers are retried in a successor, or get the outcome `rest_becomes` if
    that is given. The first unsent reader goes last in the successor: if that reader's message
    is what breaks the connection, it doesn't hold up the others.
    """
    outcomes: list[OutcomeRow] = []
    to_retry: list[int] = []
    deferrals: Counter[ReplyCodes] = Counter()
    first_unsent: list[int] = []
    final = bytearray(results.ljust(len(readers), b"\0"))
    for position, reader in enumerate(readers):
        result = _RESULTS[final[position]]
        if result is Result.NONE and position < unknown_below:
            result = Result.UNKNOWN
        if result is Result.NONE or result is Result.DEFERRED:
            if rest_becomes is None:
                if result is Result.DEFERRED:
                    deferrals[replies.get(position, _NO_REPLY)] += 1
                is_first_unsent = result is Result.NONE and not first_unsent
                (first_unsent if is_first_unsent else to_retry).append(reader)
                continue
            result = rest_becomes
        final[position] = result
        outcomes.append(OutcomeRow(reader, result, replies.get(position, _NO_REPLY)))
    [(common_deferral, _)] = deferrals.most_common(1) or [(_NO_REPLY, 0)]
    return Settlement(
        outcomes, to_retry + first_unsent, bool(deferrals), bytes(final), common_deferral
    )

"""Readers' ids as bytes, and the checksum over them. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b

WIDTH = 8
MODULUS = 2**63


def pack(ids: Iterable[int]) -> bytes:
    """Signed 8-byte big-endian integers, in order."""
    ids = list(ids)
    return struct.pack(f">{len(ids)}q", *ids)


def unpack(packed: bytes | memoryview) -> list[int]:
    packed = bytes(packed)
    return list(struct.unpack(f">{len(packed) // WIDTH}q", packed))


def checksum(ids: Iterable[int]) -> int:
    """Sum of the ids' hashes modulo 2**63.

    Independent of order; a reader can be added, and by erasure replaced, without the others.
    """
    total = 0
    for number in ids:
        total += int.from_bytes(
            blake2b(number.to_bytes(8, "big", signed=True), digest_size=8).digest()
        )
    return total % MODULUS

"""Pack subscriber IDs into bytes, and compute the checksum over them. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b

WIDTH = 8
MODULUS = 2**63


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

    The order doesn't matter, and an ID can be added, or replaced on erasure, without reading
    the others.
    """
    total = 0
    for number in ids:
        total += int.from_bytes(
            blake2b(number.to_bytes(8, "big", signed=True), digest_size=8).digest()
        )
    return total % MODULUS

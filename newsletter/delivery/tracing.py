"""The opaque id that a message carries: Message-ID, provider's metadata, later VERP.

It must lead back to the reader of a mailing years later, and must tell nobody else anything, not
even how many readers there are. So it is one AES block over (kind, mailing, reader, zeros) under
a key of its own; the zeros make a forged one fail (2**-32).
"""

from __future__ import annotations

import base64
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

from newsletter.lib.keys import newest

MAILING, LETTER = 1, 2


class Trace(NamedTuple):
    kind: int
    mailing_id: int
    subscriber_id: int


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> Cipher[modes.ECB]:
    derived = blake2b(b"tydzen delivery id", key=key, digest_size=32).digest()
    # One block, so no chaining mode is called for.
    return Cipher(algorithms.AES(derived), modes.ECB())  # noqa: S305


def delivery_id(trace: Trace) -> str:
    """28 characters of a–z and 2–7: the key's number and the block."""
    number, key = newest(settings.WEB_KEYS.latest().tokens)
    block = bytes([trace.kind])
    block += trace.mailing_id.to_bytes(5, "big") + trace.subscriber_id.to_bytes(
        6, "big", signed=True
    )
    encryptor = _cipher(key).encryptor()
    sealed = bytes([number]) + encryptor.update(block + bytes(4)) + encryptor.finalize()
    return base64.b32encode(sealed).decode().rstrip("=").lower()


def read_delivery_id(text: str) -> Trace | None:
    """The trace, or None where it is not one of ours."""
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except ValueError:
        return None
    key = settings.WEB_KEYS.fresh().tokens.get(raw[0]) if len(raw) == 17 else None
    if key is None:
        return None
    decryptor = _cipher(key).decryptor()
    block = decryptor.update(raw[1:]) + decryptor.finalize()
    if block[12:] != bytes(4):
        return None
    return Trace(
        block[0], int.from_bytes(block[1:6], "big"), int.from_bytes(block[6:12], "big", signed=True)
    )

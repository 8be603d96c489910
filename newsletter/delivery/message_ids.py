"""The opaque id that a message carries: Message-ID, provider's metadata, later VERP.

It must lead back to the reader of a mailing years later, and must tell nobody else anything, not
even how many readers there are. So it is one AES block over (kind, mailing, reader, zeros) under
a key of its own; the zeros make a forged one fail (2**-32).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from threading import get_ident
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from django.conf import settings

from newsletter.lib.keys import current_key

MAILING, TRANSACTIONAL = 1, 2


class MessageTrace(NamedTuple):
    kind: int
    mailing_id: int
    subscriber_id: int


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> Cipher[modes.ECB]:
    derived = blake2b(b"tydzen delivery id", key=key, digest_size=32).digest()
    # One block, so no chaining mode is called for.
    return Cipher(algorithms.AES(derived), modes.ECB())  # noqa: S305


def delivery_id(trace: MessageTrace) -> str:
    """28 characters of a–z and 2–7: the key's number and the block."""
    return delivery_id_factory(trace.kind, trace.mailing_id)(trace.subscriber_id)


def delivery_id_factory(kind: int, mailing_id: int) -> Callable[[int], str]:
    """`delivery_id` for many subscribers, with the key looked up once: to be kept for a moment
    only, as keys are rotated, and by the thread that asked."""
    number, key = current_key(settings.WEB_KEYS.latest().tokens)
    before = b"%c%b" % (kind, mailing_id.to_bytes(5, "big"))
    encrypt = _encryptor(key, get_ident()).update
    prefix = bytes([number])

    def made(subscriber_id: int) -> str:
        reader = subscriber_id.to_bytes(6, "big", signed=True)
        return _base32(prefix + encrypt(before + reader + b"\0\0\0\0"))

    return made


@lru_cache(maxsize=64)
def _encryptor(key: bytes, _thread: int) -> CipherContext:
    """One that is never finished, as each block stands alone: beginning one costs more than its
    use, and a send-out makes an id per reader."""
    return _cipher(key).encryptor()


def _base32(seventeen: bytes) -> str:
    """RFC 4648 in lower case without padding; the standard library's takes four times as long."""
    bits = int.from_bytes(seventeen, "big") << 4
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])


_SHIFTS = range(130, -1, -10)
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


def parse_delivery_id(text: str) -> MessageTrace | None:
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
    return MessageTrace(
        block[0], int.from_bytes(block[1:6], "big"), int.from_bytes(block[6:12], "big", signed=True)
    )

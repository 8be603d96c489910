"""Signed tokens in links (B3): who may confirm, change or leave, without a sign-in.

A token is version, key number, purpose, subscription id, for those that expire the second at
which they do, and a MAC of 16 bytes (keyed BLAKE2b), in base64url without padding: 36 characters,
or 42. It is made for each reader of each mail, so it costs a few microseconds.
"""

from __future__ import annotations

import hmac
import re
import struct
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

from newsletter.lib.keys import current_key

VERSION = 1
MAC = 16
PERSON = b"tydzen-link"
HEAD = struct.Struct(">BBBQ")
EXPIRY = struct.Struct(">I")
_URLSAFE = bytes.maketrans(b"+/", b"-_")
FORM = re.compile(r"[A-Za-z0-9_-]{36}(?:[A-Za-z0-9_-]{6})?")


class Purpose(IntEnum):
    """What a token is good for. Never renumber: old mails hold them."""

    CONFIRM = 1
    UNSUBSCRIBE = 2
    PREFERENCES = 3
    FRESH = 4
    """Asked for by mail a short time ago: export, change of address, erasure."""
    MOVE = 5
    """The confirmation of a new address; its id is the letter's."""


LIFETIMES = {
    Purpose.CONFIRM: 48 * 3600,
    Purpose.FRESH: 4 * 3600,
    Purpose.MOVE: 48 * 3600,
}
"""Seconds; a purpose that is not named here never expires."""


class TokenError(Exception):
    """A token that is no good."""


class ForgedTokenError(TokenError):
    """Not made by us, or for something else, or damaged on its way."""


class ExpiredTokenError(TokenError):
    """Ours, but too old."""


def make(purpose: Purpose, subscription_id: int) -> str:
    """A token for one purpose and one subscription."""
    return token_maker(purpose)(subscription_id)


def token_maker(purpose: Purpose) -> Callable[[int], str]:
    """`make` for many subscriptions, with the key looked up once: to be kept for a moment only,
    as keys are rotated."""
    number, key = current_key(settings.WEB_KEYS.latest().tokens)
    head, begun = _begun(number, key, purpose)
    lifetime = LIFETIMES.get(purpose)

    def made(subscription_id: int) -> str:
        rest = subscription_id.to_bytes(8, "big")
        if lifetime is not None:
            rest += EXPIRY.pack(int(time.time()) + lifetime)
        mac = begun.copy()
        mac.update(rest)
        text = b2a_base64(head + rest + mac.digest(), newline=False)
        return text.translate(_URLSAFE, b"=").decode()

    return made


@lru_cache(maxsize=32)
def _begun(number: int, key: bytes, purpose: Purpose) -> tuple[bytes, blake2b]:
    """A token's first bytes, and their MAC as far as it goes: to copy it costs less than to begin
    with the key, and a send-out makes two tokens per reader."""
    head = bytes([VERSION, number, purpose])
    return head, blake2b(head, key=key, digest_size=MAC, person=PERSON)


def parse(purpose: Purpose, token: str) -> int:
    """The subscription id in a token for this purpose. Raises Forged or Expired."""
    raw = _decoded(token)
    body, mac = raw[:-MAC], raw[-MAC:]
    version, number, purpose_found, subscription_id = HEAD.unpack_from(body)
    key = settings.WEB_KEYS.tokens.get(number) or settings.WEB_KEYS.fresh().tokens.get(number)
    if version != VERSION or key is None or not hmac.compare_digest(_mac(key, body), mac):
        raise ForgedTokenError("a token that we did not make")
    if purpose_found != purpose:
        raise ForgedTokenError("a token for another purpose")
    if purpose in LIFETIMES and EXPIRY.unpack_from(body, HEAD.size)[0] <= time.time():
        raise ExpiredTokenError("a token that has expired")
    return int(subscription_id)


def _mac(key: bytes, body: bytes) -> bytes:
    return blake2b(body, key=key, digest_size=MAC, person=PERSON).digest()


def _decoded(token: str) -> bytes:
    if not FORM.fullmatch(token):
        raise ForgedTokenError("not in the form of a token")
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    # One token has one spelling: the decoder would pass over spare bits at the end.
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise ForgedTokenError("not in the form of a token")
    return raw

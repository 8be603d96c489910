"""Sign tokens for links, which let a reader confirm, change or unsubscribe without signing in (B3).

A token consists of version, key number, purpose, subscription ID, the second at which it expires
(if it does), and a MAC of 16 bytes (keyed BLAKE2b), in base64url without padding: 36 or 42
characters. Each email contains two per reader, so making one takes a few microseconds.
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
MAC_BYTES = 16
PERSON = b"tydzen-link"
HEAD = struct.Struct(">BBBQ")
EXPIRY = struct.Struct(">I")
_URLSAFE = bytes.maketrans(b"+/", b"-_")
FORMAT = re.compile(r"[A-Za-z0-9_-]{36}(?:[A-Za-z0-9_-]{6})?")


class LinkPurpose(IntEnum):
    """What a token allows. Never renumber them: old emails contain the numbers."""

    CONFIRM = 1
    UNSUBSCRIBE = 2
    PREFERENCES = 3
    ACCOUNT = 4
    """Requested by email a short time ago: export, change of address, erasure."""
    CHANGE_ADDRESS = 5
    """Confirms a new address. Its ID is that of the TransactionalEmail."""


LIFETIMES = {
    LinkPurpose.CONFIRM: 48 * 3600,
    LinkPurpose.ACCOUNT: 4 * 3600,
    LinkPurpose.CHANGE_ADDRESS: 48 * 3600,
}
"""In seconds. Other purposes never expire."""


class TokenError(Exception):
    """A token is invalid."""


class ForgedTokenError(TokenError):
    """The token was not made here, is for another purpose, or was damaged."""


class ExpiredTokenError(TokenError):
    """The token was made here but has expired."""


def make(purpose: LinkPurpose, subscription_id: int) -> str:
    """Return a token for one purpose and one subscription."""
    return token_maker(purpose)(subscription_id)


def token_maker(purpose: LinkPurpose) -> Callable[[int], str]:
    """Return `make` for many subscriptions. It looks the key up once, so use it right away."""
    number, key = current_key(settings.WEB_KEYS.latest().tokens)
    head = bytes([VERSION, number, purpose])
    started = _started_mac(key, head)
    lifetime = LIFETIMES.get(purpose)

    def make_one(subscription_id: int) -> str:
        rest = subscription_id.to_bytes(8, "big")
        if lifetime is not None:
            rest += EXPIRY.pack(int(time.time()) + lifetime)
        mac = started.copy()
        mac.update(rest)
        text = b2a_base64(head + rest + mac.digest(), newline=False)
        return text.translate(_URLSAFE, b"=").decode()

    return make_one


def _mac(key: bytes, data: bytes) -> blake2b:
    return blake2b(data, key=key, digest_size=MAC_BYTES, person=PERSON)


# Copying a started MAC is faster than starting one, and a mailing makes two tokens per reader.
_started_mac = lru_cache(maxsize=32)(_mac)


def parse(purpose: LinkPurpose, token: str) -> int:
    """Return the subscription ID in a token for this purpose. Raises ForgedTokenError or
    ExpiredTokenError."""
    raw = _decode(token)
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    version, number, purpose_found, subscription_id = HEAD.unpack_from(body)
    key = settings.WEB_KEYS.tokens.get(number) or settings.WEB_KEYS.fresh().tokens.get(number)
    if version != VERSION or key is None or not hmac.compare_digest(_mac(key, body).digest(), mac):
        raise ForgedTokenError("not a token of this site")
    if purpose_found != purpose:
        raise ForgedTokenError("a token for another purpose")
    if purpose in LIFETIMES and EXPIRY.unpack_from(body, HEAD.size)[0] <= time.time():
        raise ExpiredTokenError("a token that has expired")
    return int(subscription_id)


def _decode(token: str) -> bytes:
    if FORMAT.fullmatch(token):
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        # The decoder ignores spare bits at the end, but each token has exactly one spelling.
        if urlsafe_b64encode(raw).rstrip(b"=").decode() == token:
            return raw
    raise ForgedTokenError("not in the format of a token")

"""A proof of work in the form of ALTCHA (version 1), so that a machine pays for each sign-up.

The browser is given SHA-256(salt + number) and finds the number; that takes a phone a second. The
challenge is signed, so nothing is stored until it is solved, and expires; a solution is used once
(B4). Nothing depends on it: without JavaScript the form works under stricter limits.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from base64 import b64decode
from hashlib import sha256
from typing import Any

from django.core.cache import cache

from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors
from subscribers.derived import key_for

ALGORITHM = "SHA-256"
HARDEST = 50_000
LIFETIME = 3600
LONGEST = 1000
SALT = re.compile(r"[0-9a-f]{24}\?expires=([0-9]{10})&")
"""Its end is a mark that no digit can pass for: else part of the number could be moved into the
time of expiry."""


def challenge() -> dict[str, Any]:
    """A new challenge, as the widget wants it in JSON."""
    salt = f"{secrets.token_hex(12)}?expires={int(time.time()) + LIFETIME}&"
    hashed = _hash(salt, secrets.randbelow(HARDEST + 1))
    return {
        "algorithm": ALGORITHM,
        "challenge": hashed,
        "maxnumber": HARDEST,
        "salt": salt,
        "signature": _sign(hashed),
    }


def accept(payload: str) -> bool:
    """Whether this is the solution of a challenge of ours, not expired, not used before; it is
    used then. `payload` is the widget's field, base64 of JSON; whatever it holds is no error."""
    try:
        found = json.loads(b64decode(payload[:LONGEST], validate=True))
        salt, number, hashed = str(found["salt"]), int(found["number"]), str(found["challenge"])
        signature = str(found["signature"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    fitting = SALT.fullmatch(salt)
    if fitting is None or int(fitting[1]) <= time.time() or not 0 <= number <= HARDEST:
        return False
    right = hmac.compare_digest(_hash(salt, number).encode(), hashed.encode())
    ours = hmac.compare_digest(_sign(hashed).encode(), signature.encode())
    return right and ours and _first_use(hashed)


def _hash(salt: str, number: int) -> str:
    return sha256(f"{salt}{number}".encode()).hexdigest()


def _sign(hashed: str) -> str:
    return hmac.new(key_for("proof"), hashed.encode(), sha256).hexdigest()


def _first_use(hashed: str) -> bool:
    try:
        return bool(cache.add(f"proof:{hashed}", 1, timeout=LIFETIME))
    except cache_errors() as error:
        outages.current.failed("cache", type(error).__name__)
        return False

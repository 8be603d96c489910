"""A proof of work, ALTCHA's version 1, so that a machine pays for each sign-up.

The browser is given SHA-256(salt + number) and finds the number, which takes a phone a second.
Version 1 is what our script solves (newsletter/web/assets/web/proof.js). The challenge is signed
and expires, so nothing is stored until it is solved; a solution is used once (B4). The form also
works without JavaScript, under stricter limits.
"""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha.v1 import SHA256, ChallengeOptions, Payload, create_challenge, verify_solution
from django.core.cache import cache

from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors
from subscribers.crypto.derived_keys import key_for

HARDEST = 50_000
LIFETIME = 3600
LONGEST = 1000


def new_challenge() -> dict[str, Any]:
    """A new challenge, with the names under which ALTCHA's script expects it in JSON."""
    made = create_challenge(
        ChallengeOptions(
            algorithm=SHA256,
            max_number=HARDEST,
            hmac_key=key_for("proof"),
            expires=datetime.now(tz=UTC) + timedelta(seconds=LIFETIME),
        )
    )
    return {
        "algorithm": made.algorithm,
        "challenge": made.challenge,
        # The library's own to_dict says maxNumber, which no script of version 1 reads.
        "maxnumber": made.max_number,
        "salt": made.salt,
        "signature": made.signature,
    }


def verify(payload: str) -> bool:
    """Whether this solves a challenge that we signed, has not expired and was not used before;
    marks it as used. `payload` is the form's field, base64 of JSON, and may hold anything."""
    solution = _parsed(payload)
    if solution is None:
        return False
    is_right, _reason = verify_solution(solution, key_for("proof"))
    return is_right and _first_use(solution.challenge)


def _parsed(payload: str) -> Payload | None:
    """The solution in `payload`, or None unless every part has its type. The library checks no
    types: it raises AttributeError for a salt that is a number."""
    try:
        found = json.loads(b64decode(payload[:LONGEST], validate=True))
        texts = [found[name] for name in ("challenge", "salt", "signature")]
        number = found["number"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if type(number) is not int or not all(_is_ascii(text) for text in texts):
        return None
    hashed, salt, signature = texts
    return Payload(SHA256, hashed, number, salt, signature)


def _is_ascii(value: object) -> bool:
    return isinstance(value, str) and value.isascii()


def _first_use(hashed: str) -> bool:
    try:
        return bool(cache.add(f"proof:{hashed}", 1, timeout=LIFETIME))
    except cache_errors() as error:
        outages.monitor.report_failure("cache", type(error).__name__)
        return False

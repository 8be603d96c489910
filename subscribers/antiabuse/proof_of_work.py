"""A proof of work (ALTCHA, version 1), which makes each sign-up cost a bot some time (B4).

The browser gets SHA-256(salt + number) and searches for the number, which takes a phone about a
second (newsletter/web/assets/web/proof_of_work.js). The challenge is signed and expires, so nothing
is stored until it is solved, and a solution works only once. The form also works without
JavaScript, with a stricter rate limit.
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

MAX_NUMBER = 50_000
LIFETIME = 3600  # seconds
MAX_PAYLOAD = 1000  # characters


def new_challenge() -> dict[str, Any]:
    """Return a new challenge as a dict with the keys of ALTCHA's JSON format."""
    challenge = create_challenge(
        ChallengeOptions(
            algorithm=SHA256,
            max_number=MAX_NUMBER,
            hmac_key=key_for("proof"),
            expires=datetime.now(tz=UTC) + timedelta(seconds=LIFETIME),
        )
    )
    return {
        "algorithm": challenge.algorithm,
        "challenge": challenge.challenge,
        # The library's own to_dict writes maxNumber, which version 1 scripts don't read.
        "maxnumber": challenge.max_number,
        "salt": challenge.salt,
        "signature": challenge.signature,
    }


def verify(payload: str) -> bool:
    """Return whether `payload` solves a challenge of ours that hasn't expired or been used before,
    and mark it as used. `payload` is the posted form field: base64 of JSON, or anything at all."""
    solution = _parse(payload)
    if solution is None:
        return False
    is_correct, _reason = verify_solution(solution, key_for("proof"))
    return is_correct and _first_use(solution.challenge)


def _parse(payload: str) -> Payload | None:
    """Return the solution in `payload`, or None if a part is missing or has the wrong type.

    The library doesn't check types: it raises AttributeError for a salt that is a number.
    """
    try:
        found = json.loads(b64decode(payload[:MAX_PAYLOAD], validate=True))
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

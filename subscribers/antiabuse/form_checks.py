"""Tell a person's form from a bot's, without a cookie or a session (B4).

The form contains the signed time at which it was shown, so a bot that submits at once is noticed.
A proof of work (ALTCHA, version 1) makes each sign-up cost a bot some time: the browser gets
SHA-256(salt + number) and searches for the number, which takes a phone about a second
(newsletter/web/assets/web/proof_of_work.js). The challenge is signed and expires, so nothing is
stored until it is solved, and a solution works only once. The form also works without JavaScript,
with a stricter rate limit.
"""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha.v1 import SHA256, ChallengeOptions, Payload, create_challenge, verify_solution
from django.core.cache import cache
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.utils.crypto import salted_hmac

from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors

MAX_NUMBER = 50_000
LIFETIME = 3600  # seconds
MAX_PAYLOAD = 1000  # characters


def sign_timestamp() -> str:
    """Return the current time, signed."""
    return _signer().sign("")


def is_genuine(timestamp: str) -> bool:
    """Return whether this site signed the timestamp, however old it is."""
    try:
        _signer().unsign(timestamp)
    except BadSignature:
        return False
    return True


def is_older(timestamp: str, *, than: int) -> bool:
    """Return whether a timestamp is genuine and more than `than` seconds old."""
    try:
        _signer().unsign(timestamp, max_age=than)
    except SignatureExpired:
        return True
    except BadSignature:
        pass
    return False


def _signer() -> TimestampSigner:
    # Created for each use, so that it always has the current SECRET_KEY.
    return TimestampSigner(salt="subscribers.antiabuse.form_checks")


# --- Proof of work ----------------------------------------------------------------------------
def new_challenge() -> dict[str, Any]:
    """Return a new challenge as a dict with the keys of ALTCHA's JSON format."""
    challenge = create_challenge(
        ChallengeOptions(
            algorithm=SHA256,
            max_number=MAX_NUMBER,
            hmac_key=_hmac_key(),
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


def verify_proof(payload: str) -> bool:
    """Return whether `payload` solves one of our challenges, which is neither expired nor used, and
    mark it as used. `payload` is the posted form field: base64 of JSON, or anything at all."""
    solution = _parse(payload)
    if solution is None:
        return False
    is_correct, _reason = verify_solution(solution, _hmac_key())
    return is_correct and _first_use(solution.challenge)


def _hmac_key() -> bytes:
    """Derive the key that signs challenges from SECRET_KEY."""
    return salted_hmac("subscribers.antiabuse.form_checks", "proof", algorithm="sha256").digest()


def _parse(payload: str) -> Payload | None:
    """Return the solution in `payload`, or None if a part is missing or has the wrong type. The
    library doesn't check types: it raises AttributeError for a salt that is a number."""
    try:
        found = json.loads(b64decode(payload[:MAX_PAYLOAD], validate=True))
        texts = [found[name] for name in ("challenge", "salt", "signature")]
        number = found["number"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if type(number) is not int or not all(isinstance(t, str) and t.isascii() for t in texts):
        return None
    hashed, salt, signature = texts
    return Payload(SHA256, hashed, number, salt, signature)


def _first_use(hashed: str) -> bool:
    try:
        return bool(cache.add(f"proof:{hashed}", 1, timeout=LIFETIME))
    except cache_errors() as error:
        outages.monitor.report_failure("cache", type(error).__name__)
        return False

"""Solves proof-of-work challenges as the browser does."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from subscribers.antiabuse import form_checks


def solve(challenge: dict[str, Any]) -> dict[str, Any]:
    """Return the challenge together with its number."""
    for number in range(challenge["maxnumber"] + 1):
        if sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]:
            return {**challenge, "number": number}
    raise AssertionError("no number fits")


def encode_payload(solution: object) -> str:
    """Encode a solution as the form's hidden field holds it."""
    return b64encode(json.dumps(solution).encode()).decode()


def new_solution() -> str:
    """Return the encoded solution of a new challenge."""
    return encode_payload(solve(form_checks.new_challenge()))

"""Solve a proof of work as the browser does."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from subscribers.antiabuse import proof_of_work


def solution(task: dict[str, Any]) -> dict[str, Any]:
    for number in range(task["maxnumber"] + 1):
        if sha256(f"{task['salt']}{number}".encode()).hexdigest() == task["challenge"]:
            return {**task, "number": number}
    raise AssertionError("no number fits")


def payload(solution: object) -> str:
    return b64encode(json.dumps(solution).encode()).decode()


def solved() -> str:
    return payload(solution(proof_of_work.new_challenge()))

"""When a form was shown, signed into the form itself: no cookie and no session is needed to tell
a machine that answers at once (B4)."""

from __future__ import annotations

import hmac
import re
import time
from hashlib import sha256

from subscribers.derived import key_for

FORM = re.compile(r"([0-9]{10})-([0-9a-f]{32})")


def stamp(at: float | None = None) -> str:
    """The time, now if none is given, in seconds, with a signature."""
    shown = str(int(time.time() if at is None else at))
    return f"{shown}-{_sign(shown)}"


def age(text: str) -> float | None:
    """Seconds since the stamp was made; None where it is none of ours."""
    found = FORM.fullmatch(text)
    if found is None or not hmac.compare_digest(_sign(found[1]), found[2]):
        return None
    return time.time() - int(found[1])


def _sign(shown: str) -> str:
    return hmac.new(key_for("stamp"), shown.encode(), sha256).hexdigest()[:32]

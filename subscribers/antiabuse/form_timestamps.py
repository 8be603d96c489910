"""The time at which a form was shown, signed and stored in the form itself (B4).

A bot that submits at once is recognised without a cookie or a session.
"""

from __future__ import annotations

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner


def sign_timestamp() -> str:
    """Return the current time, signed."""
    return _signer().sign("")


def is_genuine(text: str) -> bool:
    """Return whether `text` is a timestamp that this site signed, however old."""
    try:
        _signer().unsign(text)
    except BadSignature:
        return False
    return True


def is_older(text: str, *, than: int) -> bool:
    """Return whether `text` is a genuine timestamp that is more than `than` seconds old."""
    try:
        _signer().unsign(text, max_age=than)
    except SignatureExpired:
        return True
    except BadSignature:
        return False
    return False


def _signer() -> TimestampSigner:
    # Created for each use, so that it always has the current SECRET_KEY.
    return TimestampSigner(salt="subscribers.antiabuse.form_timestamps")

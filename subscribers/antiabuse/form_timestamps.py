"""The time at which a form was shown, signed into the form itself: telling a machine that answers
at once needs neither a cookie nor a session (B4)."""

from __future__ import annotations

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner


def sign_timestamp() -> str:
    """The current time, signed."""
    return _signer().sign("")


def is_genuine(text: str) -> bool:
    """Whether `text` is a stamp that this site signed, however old it is."""
    try:
        _signer().unsign(text)
    except BadSignature:
        return False
    return True


def is_older(text: str, *, than: int) -> bool:
    """Whether `text` is a genuine stamp that was made more than `than` seconds ago."""
    try:
        _signer().unsign(text, max_age=than)
    except SignatureExpired:
        return True
    except BadSignature:
        return False
    return False


def _signer() -> TimestampSigner:
    # Made for each use, so that it always signs with the secret key that settings hold now.
    return TimestampSigner(salt="subscribers.antiabuse.form_timestamps")

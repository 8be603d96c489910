"""Links with which somebody chooses the password of their account.

The token is signed and holds no secret of the account. It works once: it contains a fingerprint of
what a new password changes. Nothing is stored.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from newsletter.editorial.models import User


class Purpose(StrEnum):
    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - the name of a purpose


LIFETIMES = {Purpose.INVITATION: timedelta(days=7), Purpose.PASSWORD: timedelta(hours=24)}


def make(user: User, purpose: Purpose) -> str:
    """Return the token, which is safe in a URL."""
    return signing.dumps([user.pk, _fingerprint(user)], salt=_salt(purpose))


def user_of(token: str, purpose: Purpose) -> User | None:
    """Return the account, or None if the token is forged, expired or used."""
    try:
        user_id, fingerprint = signing.loads(token, salt=_salt(purpose), max_age=LIFETIMES[purpose])
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not constant_time_compare(fingerprint, _fingerprint(user)):
        return None
    return user


def _salt(purpose: Purpose) -> str:
    return f"tydzen.account-link.{purpose}"


def _fingerprint(user: User) -> str:
    state = f"{user.pk} {user.password} {user.email} {user.last_login}"
    return salted_hmac("tydzen.account-link.fingerprint", state).hexdigest()[:20]

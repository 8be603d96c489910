"""Who has a second factor, and who needs one."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from newsletter.desk.access.roles import SEND

KINDS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
"""Recovery codes alone are none: they only stand in for these."""


def has_second_factor(user: Any) -> bool:
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=KINDS).exists())


def needs_second_factor(user: Any) -> bool:
    """Return whether the newsroom's rule (SECOND_FACTOR_REQUIRED) covers the user."""
    rule = settings.SECOND_FACTOR_REQUIRED
    return rule == "everyone" or (rule == "senders" and user.has_perm(SEND))


def reset_second_factor(user: Any) -> int:
    """Remove the user's second factors and recovery codes; return how many there were."""
    removed, _by_model = Authenticator.objects.filter(user_id=user.pk).delete()
    return int(removed)

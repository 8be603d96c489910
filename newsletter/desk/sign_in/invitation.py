"""Invites a new colleague: they choose their own password, so nobody else ever knows it."""

from __future__ import annotations

from typing import Any

from newsletter.delivery.models import StaffEmail
from newsletter.delivery.transactional import staff_mail
from newsletter.editorial.models import User


def invite(user: User, *, by: Any, language: str) -> StaffEmail:
    """Email the user a link, valid once and for seven days, for choosing a password.

    Until then nobody can sign in with the account, unless it had a password before. Inviting again
    is harmless: every link works until one was used.
    """
    if not user.password:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    name = str(by.get_full_name() or by.get_username()) if by else ""
    [email] = staff_mail.queue(StaffEmail.Kind.INVITATION, [user], language, name)
    return email

"""Checks passwords, more and more slowly for those who guess. Every way to sign in comes here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from newsletter.desk.access.backend import RoleBackend
from newsletter.desk.sign_in.second_factor import has_second_factor
from newsletter.desk.sign_in.throttle import attempt
from newsletter.editorial.models import User

WAIT, CLOSED = "sign_in_wait", "sign_in_closed"
"""Attributes that a refused request gets: seconds to wait; that the account has been closed."""


class ThrottledBackend(RoleBackend):
    """Django's accounts, with a pause after each wrong password beyond the first few.

    An account that doesn't exist is treated like one that does: it is counted the same, and its
    password takes as long to be refused.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        username = username or kwargs.get(User.USERNAME_FIELD)
        if username is None or password is None:
            return None
        username = _account_named(username)
        if request is None:  # a program, not a visitor
            return self._check(username, password, None)
        tried = attempt(request, username)
        if wait := tried.passwords.seconds_to_wait():
            setattr(request, WAIT, wait)
            return None
        elsewhere = 0 if tried.is_known else tried.passwords_from_elsewhere.seconds_to_wait()
        user = self._check(username, password, request)
        if user is None:
            tried.count_wrong_password()
        if elsewhere and not (user and has_second_factor(user)):
            # The same answer to a right and to a wrong password.
            setattr(request, WAIT, elsewhere)
            return None
        return user

    def _check(self, username: str, password: str, request: HttpRequest | None) -> User | None:
        user = User.objects.filter(username=username).first()
        if user is None:
            User().set_password(password)  # takes as long as checking one
            return None
        if not user.check_password(password):
            return None
        if not self.user_can_authenticate(user):
            if request is not None:
                setattr(request, CLOSED, True)
            return None
        return user


def _account_named(name: str) -> str:
    """Return the user name of the account that has this email address; or the name as it is, also
    if several accounts have the address."""
    if "@" not in name or User.objects.filter(username=name).exists():
        return name
    names = User.objects.filter(email__iexact=name).values_list("username", flat=True)[:2]
    return names[0] if len(names) == 1 else name

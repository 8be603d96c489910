"""Our answers to django-allauth: access, the next page, and how secrets are stored.

Only its second factor is used. Accounts are made at the desk, so nobody can sign up.
"""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal import flows
from allauth.account.models import Login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from newsletter.delivery.oversight import kill_switch
from newsletter.desk.sign_in import browsers
from newsletter.desk.sign_in.throttle import attempt


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped
    """Lets staff in, once each of their factors was right."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - theirs
        return False

    def get_login_stages(self) -> list[str]:
        """Return the one step after the password. Its page has a box for trusting the browser, so
        allauth's own page for that isn't shown."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def login(self, request: HttpRequest, user: Any) -> None:
        """Open the session. Raises ImmediateHttpResponse while nobody may come in."""
        if kill_switch.is_engaged() or not (user.is_active and user.is_staff):
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])

    def pre_login(
        self,
        request: HttpRequest,  # noqa: ARG002 - theirs
        user: Any,
        **hooks: Any,
    ) -> HttpResponse | None:
        """Refuse accounts that were closed or aren't staff before their second factor is asked."""
        if user.is_active and user.is_staff:
            return None
        return HttpResponseRedirect(reverse("account_login"))

    def post_login(
        self, request: HttpRequest, user: Any, *, redirect_url: str | None, **hooks: Any
    ) -> HttpResponse:
        attempt(request, user.get_username()).forget()
        target = redirect_url or self.get_login_redirect_url(request)
        response = HttpResponseRedirect(target)
        browsers.remember(request, response, user.get_username())
        return response

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing of what the next page shows anyway."""

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Check the password as when signing in, so that a guesser is slowed down here, too."""
        credentials = {"username": user.get_username(), "password": password}
        return self.authenticate(self.request, **credentials) is not None

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the ways to confirm that it's still them, in the desk's words."""
        words = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": _("Use a code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        return [each | {"description": words[each["id"]]} for each in methods]


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped
    """Encrypts what is stored, and names the newsroom in apps and browsers."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        """Return the user's name: an app copies it to a phone, so it isn't the email address."""
        return str(user.get_username())

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.get_username())

    def _get_site_name(self) -> str:
        return str(settings.ADMIN_TITLE)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002, ARG002
        return _("Passkey")


def _fernet() -> Fernet:
    """Return the cipher of the stored secrets: a copy of the database alone opens nothing."""
    key = salted_hmac("desk.sign_in.second-factor", "", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def begin_session(request: HttpRequest, user: Any, target: str | None) -> HttpResponse:
    """Go on after the right password: to the second factor if the account has one, or else in."""
    begun = Login(user=user, redirect_url=target)
    response: HttpResponse = flows.login.perform_password_login(request, {}, begun)
    return response

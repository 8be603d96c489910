"""The forms for signing in: the password, the code, and what is set up at the account's page."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.sign_in import wording
from newsletter.desk.sign_in.backend import WAIT
from newsletter.desk.sign_in.counters import Counter
from newsletter.desk.sign_in.throttle import attempt
from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors
from newsletter.lib.text_fields import OneLineFormField


class SignInForm(AdminAuthenticationForm):
    """The user name and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        for name, completes in (("username", "username"), ("password", "current-password")):
            self.fields[name].widget.attrs |= {"class": "input", "autocomplete": completes}
        if self.is_bound:  # it was refused, and most likely for the password
            self.fields["username"].widget.attrs.pop("autofocus", None)
            self.fields["password"].widget.attrs |= {"autofocus": True, "aria-invalid": "true"}

    def get_invalid_login_error(self) -> ValidationError:
        if wait := getattr(self.request, WAIT, 0):
            return ValidationError(wording.too_many_passwords(wait), code="wait")
        return ValidationError(_("The user name or the password is wrong."), code="invalid_login")

    def confirm_login_allowed(self, user: Any) -> None:
        if not (user.is_active and user.is_staff):
            raise self.get_invalid_login_error()


class _Code(forms.Form):
    """A field for a code, whose wrong values are counted."""

    user: Any
    authenticator: Any
    field_label = gettext_lazy("Six digits from your authenticator app, or a recovery code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = self.field_label
        # A recovery code has letters in no alphabet, but more digits than an app's.
        self.fields["code"].widget.attrs = {
            "class": "input code",
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "autofocus": True,
        }

    def clean_code(self) -> str:
        tried = attempt(context.request, self.user.get_username())
        if wait := tried.seconds_until_next_code():
            raise ValidationError(wording.too_many_codes(wait), code="wait")
        self.cleaned_data["code"] = "".join(self.cleaned_data["code"].split())
        try:
            checked = self._checked_code()
        except ValidationError:
            tried.count_wrong_code()
            raise ValidationError(_("The code is wrong."), code="incorrect_code") from None
        tried.codes.forget()
        return checked

    def _checked_code(self) -> str:
        """Return the code if it is right. Raises ValidationError."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # the form it is mixed into
        except cache_errors() as error:
            # An app's code was right, but the cache, which knows those used before, is away.
            outages.monitor.report_failure("cache", type(error).__name__)
            code = self.cleaned_data["code"]
            if Counter(("used code", self.user.get_username(), code)).count() > 1:
                raise ValidationError(_("The code is wrong."), code="incorrect_code") from None
            self.authenticator = Authenticator.objects.get(
                user=self.user, type=Authenticator.Type.TOTP
            )
        return code


class CodeForm(_Code, AuthenticateForm):  # type: ignore[misc]  # untyped
    """The second step of signing in."""


class ConfirmCodeForm(_Code, ReauthenticateForm):  # type: ignore[misc]  # untyped
    """Asked for before the account's second factor is changed."""


class FirstCodeForm(_Code, ActivateTOTPForm):  # type: ignore[misc]  # untyped
    """Proves that the app was set up."""

    field_label = gettext_lazy("Six digits from your authenticator app")


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # untyped
    """A passkey, which can replace the password, or a key for the second step only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = _name_field(required=False)
        self.fields["passwordless"].label = _("Sign in with it alone, without a password")
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]  # untyped
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = _name_field(required=True)


def _name_field(*, required: bool) -> OneLineFormField:
    return OneLineFormField(
        label=_("Name"),
        max_length=60,
        required=required,
        widget=forms.TextInput(attrs={"class": "input"}),
    )


class ForgottenForm(forms.Form):
    """Where the email with the link goes."""

    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"class": "input", "autocomplete": "email", "autofocus": True}
        ),
    )

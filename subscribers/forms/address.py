"""What every form that asks for an address has in common: words that help, and traps for machines
(B4, B5, B6)."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from subscribers.addresses import Address, AddressError, normalise
from subscribers.antiabuse import form_timestamps, proof_of_work
from subscribers.antiabuse.disposable_domains import is_listed
from subscribers.antiabuse.typo_suggestions import suggestion


class AddressForm(forms.Form):
    """A form that asks for an address, with what keeps machines from filling it (B4).

    `website` is a trap: people do not see it, and machines fill it. `stamp` tells when the form
    was shown; `altcha` holds a proof of work; `insist` the domain that was asked about.
    """

    email = forms.CharField(
        label=_("Your email address"),
        error_messages={
            "required": _("Enter your email address."),
            "null_characters_not_allowed": _(
                "This doesn’t look like an email address. Please check it."
            ),
        },
        widget=forms.TextInput(
            attrs={
                "type": "email",
                "inputmode": "email",
                "autocomplete": "email",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
    website = forms.CharField(required=False, label=_("Leave this field empty"))

    is_embedded = False

    def clean_email(self) -> Address:
        try:
            address = normalise(self.cleaned_data["email"])
        except AddressError as error:
            raise ValidationError(str(error.message)) from None
        near = suggestion(address.domain)
        if near and self.data.get("insist") != address.domain:
            self.asked_about = address.domain
            raise ValidationError(
                _("Did you mean %(domain)s? If the address is correct, submit the form again.")
                % {"domain": near}
            )
        if self.is_for_mail and is_listed(address.domain, settings.DISPOSABLE_DOMAINS):
            self._ask_for_a_lasting_one(address.domain)
        return address

    def _ask_for_a_lasting_one(self, domain: str) -> None:
        if settings.DISPOSABLE_ACTION == "block":
            raise ValidationError(
                _("We don’t accept disposable email addresses. Enter a different address.")
            )
        if self.data.get("insist") != domain:
            self.asked_about = domain
            raise ValidationError(
                _(
                    "This looks like a disposable address that may stop working soon. To use "
                    "it anyway, submit the form again."
                )
            )

    is_for_mail = True
    """Whether the address is to be written to from now on."""

    asked_about = ""
    """The domain that was asked about; sent along when the reader insists."""

    @property
    def action(self) -> str:
        """Where the form is sent to."""
        raise NotImplementedError

    @property
    def challenge_url(self) -> str:
        return reverse("challenge")

    @property
    def stamp(self) -> str:
        """The stamp that the form came with if it is genuine, or a new one."""
        given = str(self.data.get("stamp", ""))
        return given if form_timestamps.is_genuine(given) else form_timestamps.sign_timestamp()

    @property
    def honeypot_filled(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def is_proven(self) -> bool:
        """Whether a proof of work came with it; uses the proof up."""
        return proof_of_work.verify(str(self.data.get("altcha", "")))

    def submitted_too_fast(self) -> bool:
        """Whether it came back sooner than a person fills it, or without a genuine stamp."""
        given = str(self.data.get("stamp", ""))
        return not form_timestamps.is_older(given, than=settings.SIGN_UP_SECONDS)

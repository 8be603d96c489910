"""What every form that asks for an address has in common: words that help, and traps for machines
(B4, B5, B6)."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from subscribers import proof, stamps
from subscribers.addresses import Address, AddressError, normalise
from subscribers.disposable import is_listed
from subscribers.slips import meant


class AddressForm(forms.Form):
    """A form that asks for an address, with what keeps machines from filling it (B4).

    `website` is a trap: people do not see it, and machines fill it. `stamp` tells when the form
    was shown; `altcha` holds a proof of work; `insist` the domain that was asked about.
    """

    email = forms.CharField(
        label=_("Your e-mail address"),
        error_messages={
            "required": _("Please enter your e-mail address."),
            "null_characters_not_allowed": _(
                "This is not an e-mail address. Please look at it again."
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
    website = forms.CharField(required=False, label=_("Leave this empty"))

    is_embedded = False

    def clean_email(self) -> Address:
        try:
            address = normalise(self.cleaned_data["email"])
        except AddressError as error:
            raise ValidationError(str(error.message)) from None
        near = meant(address.domain)
        if near and self.data.get("insist") != address.domain:
            self.asked_about = address.domain
            raise ValidationError(
                _("Did you mean %(domain)s? If the address is right, send the form once more.")
                % {"domain": near}
            )
        if self.is_for_mail and is_listed(address.domain, settings.DISPOSABLE_DOMAINS):
            self._ask_for_a_lasting_one(address.domain)
        return address

    def _ask_for_a_lasting_one(self, domain: str) -> None:
        if settings.DISPOSABLE_ACTION == "block":
            raise ValidationError(
                _("We do not write to throw-away mailboxes. Please enter another address.")
            )
        if self.data.get("insist") != domain:
            self.asked_about = domain
            raise ValidationError(
                _(
                    "This looks like a throw-away mailbox, which may soon be gone. If you want "
                    "it all the same, send the form once more."
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
        return given if stamps.is_genuine(given) else stamps.stamp()

    @property
    def is_trapped(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def is_proven(self) -> bool:
        """Whether a proof of work came with it; uses the proof up."""
        return proof.accept(str(self.data.get("altcha", "")))

    def is_hasty(self) -> bool:
        """Whether it came back sooner than a person fills it, or without a genuine stamp."""
        given = str(self.data.get("stamp", ""))
        return not stamps.is_older(given, than=settings.SIGN_UP_SECONDS)

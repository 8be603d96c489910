"""The base of every form that takes an address: helpful error messages, and checks that keep bots
out (B4, B5, B6)."""

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
    """A form that takes an address and resists bots (B4).

    `website` is a honeypot: people don't see it, and bots fill it in. Three more values are read
    from the POST data: `stamp`, the signed time at which the form was shown; `altcha`, a proof of
    work; and `insist`, the domain that the reader was warned about and wants to use anyway.
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

    accepts_disposable = False
    """Whether an address at a disposable domain will do: its owner may already be a reader."""

    warned_domain = ""
    """The domain that the form has warned about; a hidden field sends it as `insist`."""

    def clean_email(self) -> Address:
        try:
            address = normalise(self.cleaned_data["email"])
        except AddressError as error:
            raise ValidationError(str(error.message)) from None
        suggested = suggestion(address.domain)
        if suggested and self.data.get("insist") != address.domain:
            self.warned_domain = address.domain
            raise ValidationError(
                _("Did you mean %(domain)s? If the address is correct, submit the form again.")
                % {"domain": suggested}
            )
        if not self.accepts_disposable and is_listed(address.domain, settings.DISPOSABLE_DOMAINS):
            self._warn_or_refuse(address.domain)
        return address

    def _warn_or_refuse(self, domain: str) -> None:
        if settings.DISPOSABLE_ACTION == "block":
            raise ValidationError(
                _("We don’t accept disposable email addresses. Enter a different address.")
            )
        if self.data.get("insist") != domain:
            self.warned_domain = domain
            raise ValidationError(
                _(
                    "This looks like a disposable address that may stop working soon. To use "
                    "it anyway, submit the form again."
                )
            )

    @property
    def action(self) -> str:
        """The URL that the form posts to."""
        raise NotImplementedError

    @property
    def challenge_url(self) -> str:
        return reverse("challenge")

    @property
    def stamp(self) -> str:
        """The posted timestamp if it is genuine, otherwise a new one."""
        posted = self._posted_stamp
        return posted if form_timestamps.is_genuine(posted) else form_timestamps.sign_timestamp()

    @property
    def honeypot_filled(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def is_proven(self) -> bool:
        """Return whether the form carries a valid proof of work, and mark the proof as used."""
        return proof_of_work.verify(str(self.data.get("altcha", "")))

    def submitted_too_fast(self) -> bool:
        """Return whether the form came back faster than a person can fill it in, or without a
        genuine timestamp."""
        return not form_timestamps.is_older(self._posted_stamp, than=settings.SIGN_UP_SECONDS)

    @property
    def _posted_stamp(self) -> str:
        return str(self.data.get("stamp", ""))

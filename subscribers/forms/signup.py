"""The forms that take an address: signing up, requesting a link and changing the address.

They have helpful error messages, and checks that keep bots out (B4, B5, B6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from newsletter.editorial.models import Newsletter
from newsletter.lib.fields import join_chain, split_chain
from newsletter.lib.languages import language_name
from newsletter.lib.text_fields import (
    OneLineFormField,
    SlugFormField,
    TextForm,
    explain_without_text,
)
from subscribers.addresses import Address, AddressError, as_typed, normalise
from subscribers.antiabuse import form_checks
from subscribers.antiabuse.domains import is_disposable, suggestion
from subscribers.consent import consent_text
from subscribers.discreet_domain import add_discreet_field


class AddressField(OneLineFormField):
    """An email address as typed. No message repeats it."""

    rule = staticmethod(as_typed)
    explain = staticmethod(explain_without_text)


class AddressForm(TextForm):
    """A form that takes an address and resists bots (B4).

    `website` is a honeypot: people don't see it, and bots fill it in. Three more values are read
    from the POST data: `stamp`, the signed time at which the form was shown; `altcha`, a proof of
    work; and `insist`, the domain that the reader was warned about and wants to use anyway.
    """

    email = AddressField(
        label=_("Your email address"),
        error_messages={"required": _("Enter your email address.")},
        widget=forms.EmailInput(
            attrs={
                "inputmode": "email",
                "autocomplete": "email",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
    website = OneLineFormField(required=False, label=_("Leave this field empty"))

    action: StrOrPromise
    """The URL that the form posts to."""

    challenge_url = reverse_lazy("challenge")

    is_embedded = False

    accepts_disposable = False
    """Whether an address at a disposable domain will do: its owner may already be a reader."""

    warned_domain = ""
    """The domain that the form has warned about; a hidden field sends it as `insist`."""

    def clean_email(self) -> Address:
        try:
            address = normalise(self.cleaned_data["email"])
        except AddressError as error:
            raise ValidationError(str(error)) from None
        domain = address.domain
        if suggested := suggestion(domain):
            text = _("Did you mean %(domain)s? If the address is correct, submit the form again.")
            self._warn(domain, text % {"domain": suggested})
        if not self.accepts_disposable and is_disposable(domain, settings.DISPOSABLE_DOMAINS):
            if settings.DISPOSABLE_ACTION == "block":
                raise ValidationError(
                    _("We don’t accept disposable email addresses. Enter a different address.")
                )
            text = _(
                "This looks like a disposable address that may stop working soon. To use "
                "it anyway, submit the form again."
            )
            self._warn(domain, text)
        return address

    def _warn(self, domain: str, message: StrOrPromise) -> None:
        """Refuse the address once; the reader may insist."""
        if self.data.get("insist") != domain:
            self.warned_domain = domain
            raise ValidationError(message)

    @property
    def stamp(self) -> str:
        """The posted timestamp if it is genuine, otherwise a new one."""
        posted = str(self.data.get("stamp", ""))
        return posted if form_checks.is_genuine(posted) else form_checks.sign_timestamp()

    @property
    def honeypot_filled(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def is_proven(self) -> bool:
        """Return whether the form carries a valid proof of work, and mark the proof as used."""
        return form_checks.verify_proof(str(self.data.get("altcha", "")))

    def submitted_too_fast(self) -> bool:
        """Return whether the form came back faster than a person can fill it in, or without a
        genuine timestamp."""
        posted = str(self.data.get("stamp", ""))
        return not form_checks.is_older(posted, than=settings.SIGN_UP_SECONDS)


class SubscribeForm(AddressForm):
    """The subscription box on the site, in the page's language."""

    newsletter = SlugFormField(widget=forms.HiddenInput)

    action: StrOrPromise = reverse_lazy("subscribers:subscribe")

    def __init__(
        self, newsletter: Newsletter, language: str, data: Mapping[str, Any] | None = None
    ) -> None:
        self.instance = newsletter
        self.language = language
        choices = _language_choices(newsletter)
        self._values = [value for value, _label in choices]
        preselected = [value for value in self._values if language in split_chain(value)]
        super().__init__(
            data,
            auto_id="subscribe_%s",
            initial={
                "newsletter": newsletter.slug,
                "choices": (preselected or self._values)[:1],
            },
        )
        self.fields["choices"] = forms.MultipleChoiceField(
            label=_("Languages"),
            choices=choices,
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": _("Choose at least one."),
                "invalid_choice": _("The newsletter isn’t available in this language."),
            },
        )
        add_discreet_field(self)

    # Properties, so that a valid POST doesn't pay for text that only the page shows.
    @property
    def newsletter_name(self) -> str:
        return self.instance.name_in(self.language)

    @property
    def promise(self) -> str:
        """What the newsroom promises ("Once a week …"), or "" without such a text."""
        text = self.instance.text([self.language])
        return text.promise if text else ""

    @property
    def wording(self) -> str:
        return consent_text(self.instance, self.language)

    @property
    def chain(self) -> tuple[str, ...]:
        """The chosen languages in order, after `is_valid`."""
        chosen = self.cleaned_data["choices"]
        in_order = [split_chain(value) for value in self._values if value in chosen]
        return chain_of(in_order, self.language)


class EmbeddedForm(SubscribeForm):
    """The subscription box on another site's page: no cookie, so no CSRF token (B7).

    A form in that page's own HTML may send nothing but an address. Without a timestamp it has the
    stricter rate limit; without choices it gets the first choice in the page's language.
    """

    is_embedded = True

    def __init__(
        self, newsletter: Newsletter, language: str, data: QueryDict | None = None
    ) -> None:
        super().__init__(newsletter, language, data)
        self.action = reverse("subscribers:embedded", args=[newsletter.slug])
        self.fields["newsletter"].required = False
        if data is not None and "stamp" not in data and "choices" not in data:
            data = data.copy()
            data.setlist("choices", self.initial["choices"])
            self.data = data

    def submitted_too_fast(self) -> bool:
        return "stamp" in self.data and super().submitted_too_fast()


class LinkForm(AddressForm):
    """The form that emails a reader a link to their account page."""

    action = reverse_lazy("subscribers:link-request")
    accepts_disposable = True


class ChangeAddressForm(AddressForm):
    """The form for a new address. It needs no honeypot: only a reader's own link leads to it."""

    website = None  # type: ignore[assignment]

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="change_%s")
        self.fields["email"].label = _("Your new email address")


def chain_of(choices: Iterable[Sequence[str]], page_language: str) -> tuple[str, ...]:
    """Return one chain for the choices: the page's language first if it is among them, then the
    others in the choices' order, none twice. Pure."""
    codes = dict.fromkeys(code for choice in choices for code in choice)
    return tuple(sorted(codes, key=lambda code: code != page_language))


def _language_choices(newsletter: Newsletter) -> list[tuple[str, str]]:
    """Return the newsletter's choices as (value, label), such as ("be,ru", "BE/RU")."""
    choices: list[dict[str, Any]] = newsletter.choices
    return [(join_chain(choice["languages"]), choice["label"]) for choice in choices] or [
        (code, language_name(code)) for code in newsletter.languages
    ]

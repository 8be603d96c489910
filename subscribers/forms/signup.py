"""The forms that take an address: signing up, requesting a link and changing the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models import Newsletter
from newsletter.lib.fields import join_chain, split_chain
from newsletter.lib.languages import language_name
from subscribers.consent import consent_text, promise_of
from subscribers.forms.address import AddressForm
from subscribers.forms.chains import chain_of
from subscribers.forms.fields import add_discreet_field, set_choices


class SubscribeForm(AddressForm):
    """The subscription box on the site, in the page's language."""

    newsletter = forms.SlugField(widget=forms.HiddenInput)
    choices = forms.MultipleChoiceField(
        label=_("Languages"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one."),
            "invalid_choice": _("The newsletter isn’t available in this language."),
        },
    )

    def __init__(
        self, newsletter: Newsletter, language: str, data: Mapping[str, Any] | None = None
    ) -> None:
        choices = _language_choices(newsletter)
        preselected = [value for value, _label in choices if language in split_chain(value)]
        super().__init__(
            data,
            auto_id="subscribe_%s",
            initial={
                "newsletter": newsletter.slug,
                "choices": preselected[:1] or [choices[0][0]],
            },
        )
        self.instance = newsletter
        self.language = language
        set_choices(self.fields["choices"], choices)
        add_discreet_field(self)

    # Properties, so that a valid POST doesn't pay for text that only the page shows.
    @property
    def newsletter_name(self) -> str:
        return self.instance.name_in(self.language)

    @property
    def promise(self) -> str:
        return promise_of(self.instance, self.language)

    @property
    def wording(self) -> str:
        return consent_text(self.instance, self.language)

    @property
    def action(self) -> str:
        return reverse("subscribers:subscribe")

    @property
    def chain(self) -> tuple[str, ...]:
        """The chosen languages in order, after `is_valid`."""
        chosen = self.cleaned_data["choices"]
        in_order = [
            split_chain(value)
            for value, _label in _language_choices(self.instance)
            if value in chosen
        ]
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
        self.fields["newsletter"].required = False
        if data is not None and "stamp" not in data and "choices" not in data:
            data = data.copy()
            data.setlist("choices", self.initial["choices"])
            self.data = data

    def submitted_too_fast(self) -> bool:
        return "stamp" in self.data and super().submitted_too_fast()

    @property
    def action(self) -> str:
        return reverse("subscribers:embedded", args=[self.instance.slug])


class LinkForm(AddressForm):
    """The form that emails a reader a link to their account page."""

    accepts_disposable = True

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="link_%s")

    @property
    def action(self) -> str:
        return reverse("subscribers:link-request")


class ChangeAddressForm(AddressForm):
    """The form for a new address. It needs no honeypot: only a reader's own link leads to it."""

    website = None  # type: ignore[assignment]

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="change_%s")
        self.fields["email"].label = _("Your new email address")


def _language_choices(newsletter: Newsletter) -> list[tuple[str, str]]:
    """Return the newsletter's choices as (value, label), such as ("be,ru", "BE/RU")."""
    choices: list[dict[str, Any]] = newsletter.choices
    return [(join_chain(choice["languages"]), choice["label"]) for choice in choices] or [
        (code, language_name(code)) for code in newsletter.languages
    ]

"""Form fields that the sign-up and the preferences forms share."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from subscribers.discreet_domain import is_configured


def add_discreet_field(form: forms.Form) -> None:
    """Add the checkbox for discreet emails, if the newsroom has a discreet domain."""
    if is_configured():
        form.fields["discreet"] = forms.BooleanField(
            label=_("Discreet emails"),
            required=False,
            help_text=_(
                "The sender, subject and links don’t mention us, and there are no pictures. "
                "The articles are the same."
            ),
        )

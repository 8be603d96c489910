"""Validation of JSON fields that editors fill in."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from newsletter.lib.languages import validate_language


def validate_languages(languages: Any) -> None:
    """Raise ValidationError unless `languages` is a list of distinct codes, and not empty."""
    if not isinstance(languages, list) or not languages:
        raise ValidationError({"languages": _("Enter at least one language.")})
    for code in languages:
        try:
            validate_language(code)
        except ValidationError as error:
            raise ValidationError({"languages": error}) from None
    if len(set(languages)) != len(languages):
        raise ValidationError({"languages": _("A language is listed twice.")})


def validate_choices(choices: Any, languages: list[str]) -> None:
    """Raise ValidationError unless each choice has a label and languages of the newsletter."""
    message = _("Each choice needs a label and languages that this newsletter has.")
    for choice in choices if isinstance(choices, list) else [None]:
        if not isinstance(choice, dict) or not isinstance(choice.get("label"), str):
            raise ValidationError({"choices": message})
        chain = choice.get("languages")
        if not isinstance(chain, list) or not chain or not set(chain) <= set(languages):
            raise ValidationError({"choices": message})

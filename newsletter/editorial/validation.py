"""Rules for what editors enter, beyond what a field knows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from newsletter.lib.languages import validate_language


def validate_languages(languages: Any) -> None:
    """A newsletter's languages: a list of codes, one at least, none twice."""
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
    """The form's choices: labels with chains of the newsletter's languages."""
    message = _("Each choice needs a label and languages that this newsletter has.")
    for choice in choices if isinstance(choices, list) else [None]:
        if not isinstance(choice, dict) or not isinstance(choice.get("label"), str):
            raise ValidationError({"choices": message})
        chain = choice.get("languages")
        if not isinstance(chain, list) or not chain or not set(chain) <= set(languages):
            raise ValidationError({"choices": message})

"""Fields for texts that people fill in. Each keeps only characters that every output can hold (H1).

A model's field and the form field that it makes apply the same rule, `newsletter.lib.characters`.
So a text is normalised, or refused at its field, whether it comes from a form, an import or a
command that calls `clean_fields`. Queries and `save` leave values as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from newsletter.lib import characters
from newsletter.lib.characters import Refused, UnfitCharacterError

LONGEST_BODY = 1_000_000
"""Characters in the body of an article with its markup: some 300 pages."""
LONGEST_TEXT = 100_000
"""Characters in any other text of several lines."""

KINDS: dict[Refused, StrOrPromise] = {
    Refused.CONTROL: _("a control character"),
    Refused.SURROGATE: _("half of a damaged character"),
    Refused.NONCHARACTER: _("not a character"),
    Refused.PRIVATE: _("a character of one particular font"),
    Refused.OVERRIDE: _("an invisible character that reverses the text after it"),
    Refused.PLACEHOLDER: _("a mark for an object that wasn’t copied"),
}
"""What a refused character is, as part of a sentence."""

ST = TypeVar("ST")
GT = TypeVar("GT")


def explain(error: UnfitCharacterError) -> str:
    """Return a message, in the active language, that says which character to remove and where."""
    named = {"character": error.code_point, "kind": KINDS[error.kind], "before": error.before}
    if error.before:
        return str(_("Remove %(character)s (%(kind)s) after “%(before)s”.") % named)
    return str(_("Remove %(character)s (%(kind)s) at the beginning.") % named)


def explain_without_text(error: UnfitCharacterError) -> str:
    """Like `explain`, but quotes nothing: for email addresses, which no message repeats."""
    named = {"character": error.code_point, "kind": KINDS[error.kind]}
    return str(_("Remove %(character)s (%(kind)s).") % named)


def fitted(text: str, rule: Callable[[str], str]) -> str:
    """Apply a function of `newsletter.lib.characters`. Raises ValidationError."""
    try:
        return rule(text)
    except UnfitCharacterError as error:
        raise ValidationError(explain(error), code="unfit_character") from None


# --- In forms ---------------------------------------------------------------------------------
class TextFormMixin(forms.CharField):
    """Makes a form field for texts apply `rule` before anything else looks at the text."""

    rule: Callable[[str], str] = staticmethod(characters.one_line)
    explain: Callable[[UnfitCharacterError], str] = staticmethod(explain)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Its message doesn't name the character, and the rule refuses NUL already.
        self.validators: list[Any] = [
            validator
            for validator in self.validators
            if not isinstance(validator, ProhibitNullCharactersValidator)
        ]

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = self.rule(value)
            except UnfitCharacterError as error:
                raise ValidationError(self.explain(error), code="unfit_character") from None
        return super().to_python(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Leave out `maxlength`: browsers silently cut what is pasted, instead of an error (I1)."""
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)
        return attrs


class OneLineFormField(TextFormMixin):
    """A text on one line."""


class LinesFormField(TextFormMixin):
    """A text that may have several lines."""

    rule = staticmethod(characters.lines)


class RichTextFormField(TextFormMixin):
    """HTML."""

    rule = staticmethod(characters.markup)


class EmailFormField(TextFormMixin, forms.EmailField):
    """An email address of the newsroom's own."""


class SlugFormField(TextFormMixin, forms.SlugField):
    """A slug."""


class TextForm(forms.Form):
    """A form that explains an unfit character in any of its fields, also in one that offers choices
    or takes a date. Without it, the error would repeat the value instead."""

    def clean(self) -> dict[str, Any]:
        for name, field in self.fields.items():
            posted = self[name].data
            for value in posted if isinstance(posted, list) else [posted]:
                if isinstance(value, str) and not isinstance(field, TextFormMixin):
                    self._explain_unfit(name, value)
        return self.cleaned_data

    def _explain_unfit(self, name: str, value: str) -> None:
        try:
            characters.one_line(value)
        except UnfitCharacterError as error:
            self.errors.pop(name, None)
            self.add_error(name, explain_without_text(error))


# --- In models --------------------------------------------------------------------------------
class _TextMixin:
    """Makes a model's text field apply `rule` when it is cleaned, and its form field as well."""

    rule: Callable[[str], str] = staticmethod(characters.one_line)
    form_field: type[forms.Field] = OneLineFormField
    django_field: type[models.Field[Any, Any]] = models.CharField

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if isinstance(value, str):
            value = fitted(value, self.rule)
        return super().clean(value, model_instance)  # type: ignore[misc]

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Describe the column as one of Django's field: a rule for texts needs no migration."""
        name, _path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        return name, f"django.db.models.{self.django_field.__name__}", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        # The admin passes `form_class` for some fields, and choices need a ChoiceField.
        if not self.choices:  # type: ignore[attr-defined]
            kwargs.setdefault("form_class", self.form_field)
        return super().formfield(**kwargs)  # type: ignore[misc]


class OneLineField(_TextMixin, models.CharField[ST, GT]):
    """A text on one line."""


class EmailField(_TextMixin, models.EmailField[ST, GT]):
    """An email address of the newsroom's own."""

    form_field = EmailFormField
    django_field = models.EmailField


class SlugField(_TextMixin, models.SlugField[ST, GT]):
    """A slug: letters a–z, digits, - and _."""

    form_field = SlugFormField
    django_field = models.SlugField


class LinesField(_TextMixin, models.TextField[ST, GT]):
    """A text of several lines with at most `max_length` characters, which the model checks too."""

    rule: Callable[[str], str] = staticmethod(characters.lines)
    form_field: type[forms.Field] = LinesFormField
    django_field = models.TextField

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if self.max_length is not None and isinstance(value, str):
            # Before anything else looks at a text of megabytes.
            MaxLengthValidator(self.max_length)(value)
        return super().clean(value, model_instance)


class RichTextField(LinesField[ST, GT]):
    """HTML with at most `max_length` characters."""

    rule = staticmethod(characters.markup)
    form_field = RichTextFormField


class TextsField(models.JSONField):
    """JSON whose texts, at any depth, are on one line each."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(_each_text(value), model_instance)


def _each_text(value: Any) -> Any:
    if isinstance(value, str):
        return fitted(value, characters.one_line)
    if isinstance(value, list):
        return [_each_text(item) for item in value]
    if isinstance(value, dict):
        return {_each_text(name): _each_text(item) for name, item in value.items()}
    return value

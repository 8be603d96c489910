"""Form fields that let editors type, as plain text, what a model stores as a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django_prose_editor.fields import ProseEditorFormField
from django_prose_editor.widgets import AdminProseEditorWidget

from newsletter.digest.rich_text.table import editor_extensions
from newsletter.editorial.cleaning import clean
from newsletter.editorial.rich_text.dropped import Dropped
from newsletter.lib import characters
from newsletter.lib.text_fields import LinesFormField, OneLineFormField, TextFormMixin

EXTENSIONS: dict[str, Any] = {
    **editor_extensions(),
    "CleanPaste": {"url": reverse_lazy("admin:clean_pasted")},
    "History": True,
    "HTML": True,
    # The browser's spell checker is the best there is for Belarusian and Russian.
    "NoSpellCheck": False,
}
"""The editor's extensions: those for everything in the table of rich text, and a few others."""


class RichTextField(TextFormMixin, ProseEditorFormField):  # type: ignore[misc]  # it has no types
    """A form field with the rich-text editor. Its value is clean HTML."""

    rule = staticmethod(characters.markup)
    dropped: tuple[Dropped, ...] = ()
    """What could not be kept of the text that was posted."""

    def __init__(self, **kwargs: Any) -> None:
        config = {"extensions": EXTENSIONS}
        super().__init__(config=config, widget=AdminProseEditorWidget, **kwargs)

    def clean(self, value: Any) -> str:
        cleaned = clean(super().clean(value))
        self.dropped = cleaned.dropped
        return cleaned.html


def dropped_from(form: forms.BaseForm) -> list[tuple[str, Dropped]]:
    """Return what could not be kept of the form's texts, each with the label of its field."""
    return [
        (str(form.fields[name].label), each)
        for name in form.fields
        for each in getattr(form.fields[name], "dropped", ())
    ]


def without_cleaning(_config: Any, _shared: dict[str, Any]) -> None:
    """Add nothing to the package's own allowlist: `clean` follows our table instead."""


class CodeListField(OneLineFormField):
    """A list of codes, typed as "en, be, ru"."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        text = super().to_python(value) or ""
        return [code.strip().lower() for code in text.split(",") if code.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class LabelledLinesField(LinesFormField):
    """A list of objects, typed one per line as "label = value".

    The value is stored under `value_key`: as a list of codes if `is_list`, else as a string.
    """

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60})

    def __init__(self, *, value_key: str, is_list: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_key, self.is_list = value_key, is_list

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{row['label']} = {self._format(row[self.value_key])}" for row in value)

    def _format(self, value: Any) -> str:
        return ", ".join(value) if self.is_list else str(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        text = super().to_python(value) or ""
        return [self._parse_line(line) for line in text.splitlines() if line.strip()]

    def _parse_line(self, line: str) -> dict[str, Any]:
        label, equals, rest = (part.strip() for part in line.partition("="))
        if not (label and equals and rest):
            raise ValidationError(
                _("“%(line)s”: write a label, an equals sign and a value."),
                params={"line": line},
            )
        codes = [code.strip().lower() for code in rest.split(",") if code.strip()]
        return {"label": label, self.value_key: codes if self.is_list else rest}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True

"""Form fields that editors can write in, where the model stores a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_prose_editor.fields import ProseEditorFormField
from django_prose_editor.widgets import AdminProseEditorWidget

EXTENSIONS: dict[str, Any] = {
    "Bold": True,
    "Italic": True,
    "Heading": {"levels": [2, 3, 4]},
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "Blockquote": True,
    "HardBreak": True,
    "Link": {"enableTarget": False},
    "History": True,
    "HTML": True,
}
"""What the editor offers: no more than cleaning lets through."""


def prose_field(**kwargs: Any) -> forms.Field:
    """A field with the rich-text editor."""
    return ProseEditorFormField(  # type: ignore[no-any-return]
        config={"extensions": EXTENSIONS}, widget=AdminProseEditorWidget, **kwargs
    )


class CodeListField(forms.CharField):
    """A list of codes as "en, be, ru"."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        text = super().to_python(value) or ""
        return [word.strip().lower() for word in text.split(",") if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class LabelledLinesField(forms.CharField):
    """A list of objects, one a line: "label = value"."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60})

    def __init__(self, *, value_key: str, as_list: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_key, self.as_list = value_key, as_list

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{one['label']} = {self._joined(one[self.value_key])}" for one in value)

    def _joined(self, value: Any) -> str:
        return ", ".join(value) if self.as_list else str(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        text = super().to_python(value) or ""
        return [self._line(line) for line in text.splitlines() if line.strip()]

    def _line(self, line: str) -> dict[str, Any]:
        label, sign, rest = (part.strip() for part in line.partition("="))
        if not (label and sign and rest):
            raise ValidationError(
                _("“%(line)s”: write a label, an equals sign and a value."),
                params={"line": line},
            )
        words = [word.strip().lower() for word in rest.split(",") if word.strip()]
        return {"label": label, self.value_key: words if self.as_list else rest}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True

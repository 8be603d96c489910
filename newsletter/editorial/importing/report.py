"""What an import did, and the one way in which it writes a row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from newsletter.editorial.importing.errors import DocumentError, Problem

M = TypeVar("M", bound=models.Model)


@dataclass
class ImportReport:
    """Rows created and changed, by the name of what they are; and what one should know."""

    created: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.created and not self.changed


def upsert(
    model: type[M],
    report: ImportReport,
    known_by: dict[str, Any],
    values: dict[str, Any],
    *,
    place: str,
) -> M:
    """The row known by those fields, with these values; saved only where something differs."""
    row = model._default_manager.filter(**known_by).first()
    return save_if_changed(row or model(**known_by), report, values, place=place)


def save_if_changed(row: M, report: ImportReport, values: dict[str, Any], *, place: str) -> M:
    """Set the values on the row and save it where it is new or something differs.

    Raises DocumentError at the place where the row breaks a rule.
    """
    is_new = row.pk is None
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, values[name])
    if not is_new and not differing:
        return row
    validate_row(row, place)
    row.save()
    (report.created if is_new else report.changed)[str(row._meta.verbose_name)] += 1
    return row


def validate_row(row: models.Model, place: str) -> None:
    """Raises DocumentError with the model's own words; relations are not looked up again."""
    try:
        row.clean_fields(exclude=[f.name for f in row._meta.fields if f.is_relation])
        row.clean()
        row.validate_constraints()
    except ValidationError as error:
        by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        raise DocumentError(
            *(
                Problem(place if name in {"", NON_FIELD_ERRORS} else f"{place}.{name}", words)
                for name, messages in by_field.items()
                for words in messages
            )
        ) from None

"""What an import changed, and how it writes rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from newsletter.editorial.importing.errors import DocumentError, Problem

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Dropped:
    """Something in the document that isn't stored, and its location."""

    location: str
    what: str

    def __str__(self) -> str:
        return f"{self.location}: {self.what}"


@dataclass
class ImportReport:
    """Numbers of rows created and changed, by model name, and notes for the operator."""

    created: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    losses: list[Dropped] = field(default_factory=list)
    """What could not be kept. It is reported by each import of the document."""

    def dropped(self, location: str, what: str) -> None:
        """Report that `what` at `location` could not be kept."""
        self.losses.append(Dropped(location, what))

    @property
    def is_empty(self) -> bool:
        return not self.created and not self.changed


def upsert(
    model: type[M],
    report: ImportReport,
    known_by: dict[str, Any],
    values: dict[str, Any],
    *,
    location: str,
) -> M:
    """Create or update the row that the fields `known_by` identify, and return it."""
    row = model._default_manager.filter(**known_by).first()
    return save_if_changed(row or model(**known_by), report, values, location=location)


def save_if_changed(
    row: M,
    report: ImportReport,
    values: dict[str, Any],
    *,
    location: str,
    validate: Callable[[models.Model, str], None] | None = None,
    save: Callable[[models.Model], None] | None = None,
) -> M:
    """Set the values on the row, and save it if it is new or differs, by `save` or its own method.

    Raises DocumentError at `location` if the row is invalid, by `validate` or `validate_row`.
    """
    is_new = row.pk is None
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, values[name])
    if not is_new and not differing:
        return row
    (validate or validate_row)(row, location)
    (save or type(row).save)(row)
    (report.created if is_new else report.changed)[str(row._meta.verbose_name)] += 1
    return row


def validate_row(row: models.Model, location: str) -> None:
    """Raise DocumentError with the model's messages. Relations aren't looked up again."""
    with _located(location):
        _clean(row)
        row.validate_constraints()


def validate_fields(row: models.Model, location: str) -> None:
    """Like `validate_row`, for rows whose uniqueness the caller has checked.

    Each constraint takes a query, which adds up with thousands of rows.
    """
    with _located(location):
        _clean(row)


def _clean(row: models.Model) -> None:
    row.clean_fields(exclude=[f.name for f in row._meta.fields if f.is_relation])
    row.clean()


@contextmanager
def _located(location: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        raise DocumentError(
            *(
                Problem(
                    location if name in {"", NON_FIELD_ERRORS} else f"{location}.{name}", message
                )
                for name, messages in by_field.items()
                for message in messages
            )
        ) from None

"""Recognise a database that another version of the program set up, before anything writes to it.

The migrations were made afresh before 1.0 (docs/decisions/0004). Django would take the old history
for its own, skip what it believes applied, and fail later on a table that doesn't exist.
"""

from __future__ import annotations

from pathlib import Path

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

APPS = ("editorial", "subscribers", "delivery")
OLD_TABLES = (
    "delivery_reach",
    "delivery_site",
    "subscribers_departure",
    "subscribers_inbox",
    "subscribers_letter",
)
"""Tables that only versions before the fresh migrations had."""


def traces() -> list[str]:
    """Return the applied migrations and the tables that this version doesn't know, by name.

    An empty database, and one that can't be reached, have none: newsletter.W004 reports the latter.
    """
    try:
        tables = set(connection.introspection.table_names())
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return []
    unknown = [
        f"migration {app}.{name}"
        for app, name in sorted(applied)
        if app in APPS and name not in _migrations(app)
    ]
    return unknown + [f"table {name}" for name in OLD_TABLES if name in tables]


def _migrations(app: str) -> set[str]:
    """Return the names of an app's migration files, without loading them: a worker needs none."""
    folder = Path(apps.get_app_config(app).path) / "migrations"
    return {path.stem for path in folder.glob("[0-9]*.py")}

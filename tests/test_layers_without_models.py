"""`lib`, `digest` and `transport` know no models. import-linter (`make lint`) checks other rules.

It can't check this one: external packages can be forbidden as a whole only, and `lib` may use other
parts of Django.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("newsletter/lib", "newsletter/digest", "newsletter/transport")
EXCEPTIONS = {
    "newsletter/lib/fields.py",
    "newsletter/lib/languages.py",
    "newsletter/lib/database_sessions.py",
    "newsletter/lib/outages.py",
    "newsletter/lib/prepared_statements.py",
    "newsletter/lib/text_fields.py",
}
"""These define model fields, send a “SELECT 1” or use a cursor, and know no model either."""


def database_imports(source: str) -> Iterator[str]:
    """Yield each name below django.db that the source imports."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if f"{name}.".startswith("django.db."))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_the_database(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    found = {
        name: list(database_imports(path.read_text(encoding="utf-8")))
        for path in paths
        if (name := str(path.relative_to(ROOT))) not in EXCEPTIONS
    }
    assert {name: imports for name, imports in found.items() if imports} == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("from django.db import models", 1),
        ("def f():\n    import django.db.models", 1),
        ("from django import db", 1),
        ("from django.utils import timezone\nimport django.dbx", 0),
    ],
)
def test_an_import_of_the_database_is_found(source: str, count: int) -> None:
    assert len(list(database_imports(source))) == count

"""Each database's index of lexemes.

They aren't part of the migrations, because no Django operation describes them for both databases,
and because SQLite drops the triggers whenever a migration remakes the table. They are created
after `migrate`, wherever they are missing.

SQLite: an FTS5 table that stores no text. Triggers follow the column, so that no way of
writing can miss it. PostgreSQL: a GIN index on the lexemes as a tsvector.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from newsletter.editorial.search.fields import PG_VECTOR, index_name

# Only a space separates lexemes: the folding has decided what a word is.
_TOKENIZER = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co Cn'"

_SQLITE_TABLE = """
CREATE VIRTUAL TABLE {index} USING fts5(
  lexemes, content='{table}', content_rowid='{key}', detail=none, columnsize=0,
  prefix='2 3', tokenize="{tokenizer}"
)"""
_SQLITE_TRIGGERS = {
    "insert": """
CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN
  INSERT INTO {index} (rowid, lexemes) VALUES (new.{key}, new.lexemes);
END""",
    "delete": """
CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN
  INSERT INTO {index} ({index}, rowid, lexemes) VALUES ('delete', old.{key}, old.lexemes);
END""",
    "update": """
CREATE TRIGGER {index}_update AFTER UPDATE OF {key}, lexemes ON {table}
WHEN old.lexemes IS NOT new.lexemes OR old.{key} <> new.{key} BEGIN
  INSERT INTO {index} ({index}, rowid, lexemes) VALUES ('delete', old.{key}, old.lexemes);
  INSERT INTO {index} (rowid, lexemes) VALUES (new.{key}, new.lexemes);
END""",
}
# fastupdate would leave new rows in a list that each search reads from end to end. Without
# statistics, the planner takes every word for a rare one and uses the index. With them, it would
# take a word that is in most texts for a reason to read all of them, which is many times slower.
_POSTGRESQL = (
    f"CREATE INDEX {{index}} ON {{table}} USING gin ({PG_VECTOR.format(column='lexemes')})"
    " WITH (fastupdate = off)",
    "ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS 0",
)


def create_missing(model: type[models.Model], *, using: str) -> None:
    """Create the index of the model's lexemes if its table exists and the index doesn't."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in _missing(model, connection):
            cursor.execute(statement)


def rebuild(model: type[models.Model], *, using: str) -> None:
    """Fill the index from the column again, in case it was damaged."""
    create_missing(model, using=using)
    index = index_name(model._meta.db_table)
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(_sqlite_rebuild(index))
        else:
            cursor.execute(f"REINDEX INDEX {index}")


def _missing(model: type[models.Model], connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Yield the statements that create what is missing."""
    table = model._meta.db_table
    names: dict[str, Any] = {
        "table": table,
        "index": index_name(table),
        "key": model._meta.pk.column,
        "tokenizer": _TOKENIZER,
    }
    known = _known(connection, table)
    if table not in known:
        return  # a migration back to the beginning
    if connection.vendor != "sqlite":
        if names["index"] not in known:
            yield from (statement.format(**names) for statement in _POSTGRESQL)
        return
    if names["index"] not in known:
        yield _SQLITE_TABLE.format(**names)
    triggers = {f"{names['index']}_{event}": sql for event, sql in _SQLITE_TRIGGERS.items()}
    if missing := [sql for name, sql in triggers.items() if name not in known]:
        yield from (sql.format(**names) for sql in missing)
        # Rows may have changed while there were no triggers.
        yield _sqlite_rebuild(names["index"])


def _sqlite_rebuild(index: str) -> str:
    return f"INSERT INTO {index} ({index}) VALUES ('rebuild')"  # noqa: S608 - own name


def _known(connection: BaseDatabaseWrapper, table: str) -> set[str]:
    """Return which of the table, its indexes and its triggers exist, by name."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE tbl_name IN (%s, %s)",
                [table, index_name(table)],
            )
        else:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE pg_table_is_visible(oid)"
                " AND relname IN (%s, %s)",
                [table, index_name(table)],
            )
        return {name for (name,) in cursor.fetchall()}

"""The column of lexemes, and the lookup `lexemes__matches=Query(…)`.

The lookup is the one name behind which each database uses its own index (newsletter.editorial.
search.index): FTS5 on SQLite, GIN on PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler

from newsletter.editorial.search.query import Query

PG_VECTOR = "array_to_tsvector(string_to_array({column}, ' '))"
"""The indexed expression. A query has to repeat it exactly."""


def index_name(table: str) -> str:
    """Return the name of the table's index of lexemes."""
    return f"{table}_lexemes"


class LexemesField(models.TextField):  # type: ignore[type-arg]
    """Distinct lexemes, separated by single spaces, made from the row when it is inserted or saved.

    It isn't serialised: `Searchable` makes the lexemes of a loaded row again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "editable": False, "default": "", "serialize": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("editable", "default", "serialize"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def pre_save(
        self,
        model_instance: Any,
        add: bool,  # noqa: ARG002, FBT001 - Django's signature
    ) -> str:
        lexemes: str = model_instance.make_lexemes()
        setattr(model_instance, self.attname, lexemes)
        return lexemes


@LexemesField.register_lookup
class Matches(models.Lookup[Any]):
    """Keeps rows whose lexemes satisfy a Query."""

    lookup_name = "matches"
    prepare_rhs = False
    lhs: Col
    rhs: Query

    def as_sql(
        self,
        compiler: SQLCompiler,  # noqa: ARG002 - Django's signature
        connection: BaseDatabaseWrapper,
    ) -> tuple[str, tuple[str, ...]]:
        """Compile for SQLite."""
        self._require_terms()
        quote = connection.ops.quote_name
        meta = self.lhs.target.model._meta
        index = quote(index_name(meta.db_table))
        key = f"{quote(self.lhs.alias)}.{quote(str(meta.pk.column))}"
        # Without “+”, SQLite would read all the long columns of each row that matches, for a key
        # that an index holds as well.
        condition = f"+{key} IN (SELECT rowid FROM {index} WHERE {index} MATCH %s)"  # noqa: S608
        return condition, (self.rhs.for_fts5(),)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, list[Any]]:
        self._require_terms()
        column, parameters = self.process_lhs(compiler, connection)
        vector = PG_VECTOR.format(column=column)
        return f"{vector} @@ %s::tsquery", [*parameters, self.rhs.for_tsquery()]

    def _require_terms(self) -> None:
        if not self.rhs:
            raise EmptyResultSet

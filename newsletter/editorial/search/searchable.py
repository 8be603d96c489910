"""Rows with a column of lexemes that every way of writing keeps up to date.

`save`, `create` and `bulk_create` make the lexemes with the row (LexemesField.pre_save). Whatever
writes only some columns (`save(update_fields=…)`, `update`, `bulk_update`) makes them afterwards
from the stored row, because the object in memory may hold older texts in the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from django.db import models, router, transaction
from django.db.models import QuerySet

from newsletter.editorial.search.documents import Document, lexemes
from newsletter.editorial.search.fields import LexemesField

S = TypeVar("S", bound="Searchable")
CHUNK = 200
"""Rows that are rebuilt in one transaction."""


class SearchableQuerySet(QuerySet[S]):
    """A queryset whose bulk operations keep the lexemes up to date."""

    def update(self, **kwargs: Any) -> int:
        if self.model.searched_fields.isdisjoint(kwargs):
            return super().update(**kwargs)
        with transaction.atomic(using=self.db):
            # Afterwards, the condition may no longer match.
            keys = list(self.values_list("pk", flat=True))
            count = super().update(**kwargs)
            rebuild(self.model, keys, using=self.db)
        return count

    def bulk_create(self, objs: Iterable[S], *args: Any, **kwargs: Any) -> list[S]:
        fields: Collection[str] | None = kwargs.get("update_fields")
        if fields and not self.model.searched_fields.isdisjoint(fields):
            kwargs["update_fields"] = [*fields, "lexemes"]
        return super().bulk_create(objs, *args, **kwargs)


class SearchableManager(models.Manager[S]):
    """Leaves the lexemes in the database: pages never need them."""

    def get_queryset(self) -> QuerySet[S]:
        return super().get_queryset().defer("lexemes")


class Searchable(models.Model):
    """Base class of models that can be searched."""

    lexemes = LexemesField()

    searched_fields: ClassVar[frozenset[str]]
    """The fields from which `document` is made."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields: Collection[str] | None = kwargs.get("update_fields")
        if fields is None:
            self.lexemes = ""  # no longer deferred, so that Django saves it too
        if fields is None or self.searched_fields.isdisjoint(fields):
            super().save(*args, **kwargs)
            return
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            super().save(*args, **kwargs)
            rebuild(type(self), [self.pk], using=using)

    def document(self) -> Document:
        """Return what can be found of this row. May use only its own fields."""
        raise NotImplementedError

    def make_lexemes(self) -> str:
        return lexemes(self.document())


def searchable_models(app_models: Iterable[type[models.Model]]) -> list[type[Searchable]]:
    return [model for model in app_models if issubclass(model, Searchable)]


def rebuild(
    model: type[Searchable],
    keys: Sequence[Any],
    *,
    using: str,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Make the lexemes of these rows again, and return how many had to change.

    Calls `progress` with the number of rows done.
    """
    changed = 0
    for start in range(0, len(keys), CHUNK):
        portion = keys[start : start + CHUNK]
        changed += _rebuild(model, portion, using)
        if progress:
            progress(start + len(portion))
    return changed


def _rebuild(model: type[Searchable], keys: Sequence[Any], using: str) -> int:
    with transaction.atomic(using=using):
        rows = list(model._base_manager.using(using).select_for_update().filter(pk__in=keys))
        stale = []
        for row in rows:
            current = row.make_lexemes()
            if current != row.lexemes:
                row.lexemes = current
                stale.append(row)
        # The base manager's queryset updates without coming back here.
        model._base_manager.using(using).bulk_update(stale, ["lexemes"], batch_size=CHUNK)
    return len(stale)

"""Delete articles, issues, pictures and topics so that they can be restored for 30 days.

A deletion takes the row and everything that Django would delete with it out of the tables, and
keeps it as JSON. So no query anywhere can show a deleted row by mistake, and a slug or a week is
free at once. Rows that only point to it (the articles of an issue, for instance) stay; what they
pointed to is noted, and comes back with it. IDs are never used twice, so a restored row has its old
one, and links from elsewhere work again.

Nothing that was sent is affected: editions are stored as they were sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models.deletion import Collector
from django.utils.encoding import is_protected_type
from django.utils.translation import gettext as _

from newsletter.editorial import ordering
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Deletion,
    Issue,
    Newsletter,
    Topic,
    User,
)
from newsletter.editorial.slugs import free_slug

DAYS = 30
"""How long a deletion can be undone."""
RESTORABLE: tuple[str, ...] = (
    "editorial.article",
    "editorial.issue",
    "editorial.picture",
    "editorial.topic",
)
_IN_ISSUE = ["editorial.article", "issue"]


class CannotRestoreError(Exception):
    """The row can't come back; the message says why, and what to do."""


@dataclass
class Restored:
    """A row that is back, and what is different from before, in sentences."""

    row: models.Model
    notes: list[str] = field(default_factory=list)


@transaction.atomic
def delete(row: models.Model, *, by: User | None) -> Deletion:
    """Delete the row so that `restore` can bring it back."""
    everything = _Everything(using=router.db_for_write(type(row)), origin=row)
    everything.collect(type(row)._base_manager.select_for_update().filter(pk=row.pk))
    rows = [each for found in everything.data.values() for each in found]
    rows.sort(key=lambda each: (each._meta.label_lower != row._meta.label_lower, each.pk))
    entry = Deletion.objects.create(
        model=row._meta.label_lower,
        object_id=row.pk,
        name=str(row)[:300],
        newsletter_id=getattr(row, "newsletter_id", None),
        deleted_by=by,
        rows=[_as_json(each) for each in rows],
        references=list(everything.references()),
    )
    # A copy: delete() would empty the caller's primary key.
    type(row)._base_manager.get(pk=row.pk).delete()
    return entry


@transaction.atomic
def restore(entry: Deletion) -> Restored:
    """Bring the row back, with what was deleted with it. Raises CannotRestoreError."""
    entry = Deletion.objects.select_for_update().get(pk=entry.pk)
    rows = [_from_json(each) for each in entry.rows]
    restored = Restored(rows[0])
    rows = [each for each in rows if _connect(each, rows, restored)]
    place = _take_place(restored.row)
    _make_unique(rows, restored)
    for each in rows:
        each.save_base(raw=True, force_insert=True)
    if place is not None:
        article = Article.objects.get(pk=restored.row.pk)
        article.issue_id, article.position = place
        article.save(update_fields=["issue", "position"])
    _restore_references(entry, restored)
    entry.delete()
    restored.row = type(restored.row)._base_manager.get(pk=restored.row.pk)
    return restored


def purge(now: datetime) -> int:
    """Remove for good what was deleted more than 30 days ago; return how many.

    Files of pictures stay, because emails that were sent show them.
    """
    return Deletion.objects.filter(deleted_at__lt=now - timedelta(days=DAYS)).delete()[0]


def find(model: type[models.Model], object_id: str | int) -> Deletion | None:
    """Return the deletion of that row, or None."""
    if not str(object_id).isdecimal():
        return None
    return Deletion.objects.filter(model=model._meta.label_lower, object_id=object_id).first()


def kind_of(entry: Deletion) -> type[models.Model]:
    """Return the model of what was deleted."""
    return cast(type[models.Model], apps.get_model(entry.model))


class _Everything(Collector):
    """Collects the rows that a deletion takes with it, and those that it would only change."""

    def can_fast_delete(self, *args: Any, **kwargs: Any) -> bool:
        return False  # rows that are deleted without being read couldn't be kept

    def references(self) -> Iterator[list[Any]]:
        updates = cast(dict[tuple[Any, Any], list[Any]], self.field_updates)
        for (changed, _value), groups in updates.items():
            for group in groups:
                for row in group:
                    yield [row._meta.label_lower, changed.name, row.pk]


def _as_json(row: models.Model) -> dict[str, Any]:
    fields = {}
    for each in row._meta.concrete_fields:
        if each.primary_key or getattr(each, "generated", False):
            continue
        value = each.value_from_object(row)
        is_plain = is_protected_type(value) or isinstance(each, models.JSONField)
        fields[each.attname] = value if is_plain else each.value_to_string(row)
    return {"model": row._meta.label_lower, "pk": row.pk, "fields": fields}


def _from_json(data: dict[str, Any]) -> models.Model:
    """Return the unsaved row. Fields that the model has lost since then are left out."""
    model = apps.get_model(data["model"])
    known = {each.attname: each for each in model._meta.concrete_fields}
    fields = {name: value for name, value in data["fields"].items() if name in known}
    values = {name: known[name].to_python(value) for name, value in fields.items()}
    return cast(models.Model, model(pk=data["pk"], **values))


def _connect(row: models.Model, rows: list[models.Model], restored: Restored) -> bool:
    """Empty the row's links to rows that are gone; return whether the row can exist without them.

    Raises CannotRestoreError if the restored row itself can't.
    """
    together = {(type(each), each.pk) for each in rows}
    for each in row._meta.concrete_fields:
        value = getattr(row, each.attname)
        if not isinstance(each, models.ForeignKey) or value is None:
            continue
        target = each.remote_field.model
        if (target, value) in together or target._base_manager.filter(pk=value).exists():
            continue
        if each.null:
            setattr(row, each.attname, None)
            if row is restored.row:
                restored.notes.append(
                    _("No longer there, so left out: %(kind)s.")
                    % {"kind": target._meta.verbose_name}
                )
        elif row is restored.row:
            raise CannotRestoreError(
                _("What it belongs to is no longer there: %(kind)s.")
                % {"kind": target._meta.verbose_name}
            )
        else:
            return False
    return True


def _take_place(row: models.Model) -> tuple[int, int] | None:
    """Take the article's place from the row; return its issue and position.

    Someone else may have the position by now, so it is given back by Article.save().
    """
    if not isinstance(row, Article) or row.issue_id is None:
        return None
    place = (row.issue_id, row.position)
    row.issue_id, row.position = None, 0
    return place


def _make_unique(rows: list[models.Model], restored: Restored) -> None:
    """Rename rows whose slug was taken since. Raises CannotRestoreError for a week."""
    row = restored.row
    for each in rows:
        if isinstance(each, ArticleTranslation) and _is_taken(each, language=each.language):
            each.slug = free_slug(each)
            restored.notes.append(_renamed(each.slug))
    if isinstance(row, Topic) and _is_taken(row, newsletter=row.newsletter_id):
        row.slug = _next_slug(row)
        restored.notes.append(_renamed(row.slug))
    if not isinstance(row, Issue):
        return
    if row.kind != Issue.Kind.SPECIAL:
        Newsletter.objects.select_for_update().get(pk=row.newsletter_id)
        try:
            row.clean()
        except ValidationError as error:
            raise CannotRestoreError(" ".join(error.messages)) from None
    elif _is_taken(row, newsletter=row.newsletter_id, kind=Issue.Kind.SPECIAL):
        row.slug = _next_slug(row)
        restored.notes.append(_renamed(row.slug))


def _renamed(slug: str) -> str:
    return _("Its slug was taken; it is “%(slug)s” now.") % {"slug": slug}


def _is_taken(row: ArticleTranslation | Issue | Topic, **among: Any) -> bool:
    return bool(row.slug) and type(row)._base_manager.filter(slug=row.slug, **among).exists()


def _next_slug(row: Issue | Topic) -> str:
    """Return the slug with -2, -3 …, the first that is free."""
    others = type(row)._base_manager.filter(newsletter=row.newsletter_id)
    taken = set(others.values_list("slug", flat=True))
    number = 2
    while (slug := f"{row.slug[:45]}-{number}") in taken:
        number += 1
    return slug


def _restore_references(entry: Deletion, restored: Restored) -> None:
    """Point the rows that stayed to the restored one, unless they point to something else by now.

    Articles return to their issue in their old order.
    """
    row = restored.row
    references = [each for each in entry.references if each[0] in _known_models()]
    for label, name, pk in references:
        if [label, name] == _IN_ISSUE:
            continue
        model = cast(type[models.Model], apps.get_model(label))
        model._base_manager.filter(pk=pk, **{name: None}).update(**{name: row.pk})
    if isinstance(row, Issue):
        listed = [pk for *place, pk in references if place == _IN_ISSUE]
        free = set(Article.objects.filter(pk__in=listed, issue=None).values_list("pk", flat=True))
        ordering.append(row, [pk for pk in listed if pk in free])


def _known_models() -> set[str]:
    return {model._meta.label_lower for model in apps.get_models(include_auto_created=True)}

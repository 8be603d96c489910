"""The order of an issue's articles: no two in an issue have the same position.

The database refuses two articles of an issue with one position, row by row, even within one UPDATE.
So whatever moves articles first lifts them out of the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When

if TYPE_CHECKING:
    from newsletter.editorial.models import Article, Issue

LIFT = 10_000
"""More than an issue's positions, and so little that the sum still fits into the column."""


@dataclass(frozen=True)
class OrderChange:
    """How one order of article IDs became another."""

    moved: list[int]
    added: list[int]
    removed: list[int]

    def __bool__(self) -> bool:
        return bool(self.moved or self.added or self.removed)


class StaleOrderError(Exception):
    """The order has changed since the page that is being saved was opened."""

    def __init__(self, change: OrderChange, current: list[int]) -> None:
        super().__init__("the order has changed")
        self.change, self.current = change, current


def order_of(issue: Issue) -> list[int]:
    """Return the IDs of the issue's articles in order."""
    rows = _articles(issue.pk).order_by("position", "pk")
    return list(rows.values_list("pk", flat=True))


def difference(before: Sequence[int], after: Sequence[int]) -> OrderChange:
    """Return what happened between two orders, with as few articles as possible called moved."""
    kept = [pk for pk in after if pk in set(before)]
    still = [pk for pk in before if pk in set(after)]
    blocks = SequenceMatcher(None, still, kept, autojunk=False).get_matching_blocks()
    in_place = {pk for block in blocks for pk in kept[block.b : block.b + block.size]}
    return OrderChange(
        moved=[pk for pk in kept if pk not in in_place],
        added=[pk for pk in after if pk not in set(before)],
        removed=[pk for pk in before if pk not in set(after)],
    )


@transaction.atomic
def arrange(issue: Issue, wanted: Sequence[int], *, seen: Sequence[int]) -> bool:
    """Put the issue's articles into the wanted order; return whether anything changed.

    `seen` is the order that the page showed when it was opened. Raises StaleOrderError, and changes
    nothing, if the order is a different one by now.
    """
    _lock(issue.pk)
    current = order_of(issue)
    if current != list(seen) or sorted(wanted) != sorted(current):
        raise StaleOrderError(difference(seen, current), current)
    if current == list(wanted):
        return False
    _number(issue.pk, wanted)
    return True


@transaction.atomic
def append(issue: Issue, articles: Sequence[int]) -> None:
    """Put the articles at the end of the issue in the given order, and out of other issues."""
    _lock(issue.pk)
    last = _last_position(issue.pk)
    for number, pk in enumerate(articles, start=1):
        _all_articles().filter(pk=pk).update(issue=issue, position=last + number)


def take_out(issue: Issue, article: int) -> bool:
    """Leave the article without an issue; return whether it was in this one."""
    return bool(_articles(issue.pk).filter(pk=article).update(issue=None, position=0))


def make_room(article: Article) -> bool:
    """Prepare to save the article at its position; return whether that was changed.

    Position 0 means the end. If another article is there, it and those after it move down.
    """
    if not article.issue_id:
        return False
    others = _articles(article.issue_id).exclude(pk=article.pk)
    if article.position and not others.filter(position=article.position).exists():
        return False
    _lock(article.issue_id)
    if not article.position:
        article.position = _last_position(article.issue_id, without=article.pk) + 1
        return True
    below = others.filter(position__gte=article.position)
    if below.update(position=F("position") + LIFT + 1):
        lifted = others.filter(position__gt=LIFT)
        lifted.update(position=F("position") - LIFT)
    return False


def _number(issue_id: int, wanted: Sequence[int]) -> None:
    rows = _articles(issue_id)
    rows.update(position=F("position") + LIFT)
    rows.update(
        position=Case(*(When(pk=pk, then=Value(n)) for n, pk in enumerate(wanted, start=1)))
    )


def _last_position(issue_id: int, *, without: int | None = None) -> int:
    rows = _articles(issue_id).order_by("-position")
    rows = rows.exclude(pk=without) if without else rows
    return rows.values_list("position", flat=True).first() or 0


def _lock(issue_id: int) -> None:
    """Let nobody else change the issue's order until the transaction ends."""
    model: type[Issue] = apps.get_model("editorial", "Issue")
    list(model.objects.select_for_update().filter(pk=issue_id).values_list("pk"))


def _articles(issue_id: int) -> QuerySet[Article]:
    return _all_articles().filter(issue_id=issue_id)


# Article imports this module, so it is looked up in Django's registry.
def _all_articles() -> QuerySet[Article]:
    model: type[Article] = apps.get_model("editorial", "Article")
    return model.objects.all()

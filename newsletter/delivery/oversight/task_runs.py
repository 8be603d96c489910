"""When recurring tasks last ran: on any worker, by the database's clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from newsletter.delivery.models import TaskRun

TICK, DRAIN = "tick", "drain"


def began_within(seconds: float) -> Q:
    """Match runs that began in the last so many seconds.

    A start in the future doesn't count: the database's clock was set back.
    """
    return Q(started_at__gt=Now() - timedelta(seconds=seconds), started_at__lte=Now())


def begin(name: str, *, at_most_every: float) -> bool:
    """Record that a run begins now; return False if another began less than so many seconds ago.

    Any number of tasks may have piled up while no worker ran: then one runs, and the others cost a
    query each (E8).
    """
    runs = TaskRun.objects.filter(pk=name)
    if runs.exclude(began_within(at_most_every)).update(started_at=Now()):
        return True
    return TaskRun.objects.get_or_create(pk=name, defaults={"started_at": Now()})[1]


@contextmanager
def recorded(name: str) -> Iterator[None]:
    """Record that the block ends, and whether it raised an exception."""
    try:
        yield
    except Exception:
        TaskRun.objects.filter(pk=name).update(finished_at=Now(), failing=True)
        raise
    TaskRun.objects.filter(pk=name).update(finished_at=Now(), failing=False)


def is_overdue(name: str, *, seconds: float) -> bool:
    """Return whether no run began in the last so many seconds."""
    return not TaskRun.objects.filter(began_within(seconds), pk=name).exists()

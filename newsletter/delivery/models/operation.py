"""What workers record about themselves, all by the database's clock."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.db.models import Q


def _new_id() -> str:
    return secrets.token_hex(16)


class WorkerRecord(models.Model):
    """A worker (`manage.py worker`), and when it last gave a sign of life."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=16, blank=True, help_text="A hash: lib.processes.host_id.")
    started_at = models.DateTimeField()
    alive_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class TaskRun(models.Model):
    """When a recurring task last ran, on any worker."""

    name = models.CharField(max_length=20, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    failing = models.BooleanField(default=False, help_text="Whether its last run failed.")

    def __str__(self) -> str:
        return self.name


class Continuity(models.Model):
    """The one row by which a restored backup is noticed: see delivery.oversight.restore_guard."""

    singleton = models.BooleanField(default=True, unique=True, editable=False)
    database_id = models.CharField(max_length=32, default=_new_id, editable=False)
    count = models.PositiveBigIntegerField(
        default=0, help_text="Grows with each look of a worker at this row."
    )
    restored_at = models.DateTimeField(
        null=True, blank=True, help_text="When a restored backup was last noticed."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="one_continuity")]

    def __str__(self) -> str:
        return f"{self.database_id} {self.count}"

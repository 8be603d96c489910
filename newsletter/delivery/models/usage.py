"""How much each transport handed over, so that limits of an hour or a day survive everything."""

from __future__ import annotations

from django.db import models


class TransportUsage(models.Model):
    """One row for each transport, by its name. newsletter.transport.pace.allowance explains it.

    `slots` maps the number of a slot of five minutes to a count, for the last day only.
    """

    name = models.CharField(max_length=64, unique=True)
    slots = models.JSONField(default=dict)
    days = models.PositiveIntegerField(
        default=0, help_text="Days on which something was sent, before the last one."
    )
    day = models.PositiveIntegerField(default=0, help_text="The last of them, counted from 1970.")

    def __str__(self) -> str:
        return self.name

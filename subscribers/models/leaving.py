"""Why readers leave: counts, of nobody in particular."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models import Newsletter


class Departure(models.Model):
    """How many left a newsletter for a reason in a year. It holds no reader and no day: a month
    in which one reader left would tell why this one did."""

    class Reason(models.TextChoices):
        TOO_MUCH = "too-much", _("It is too much to read")
        NOT_FOR_ME = "not-for-me", _("It is not what I looked for")
        LANGUAGE = "language", _("It is not in my language")
        NEVER_ASKED = "never-asked", _("I never asked for it")
        SAFETY = "safety", _("It is not safe for me to get it")
        ELSEWHERE = "elsewhere", _("I read it elsewhere")

    newsletter = models.ForeignKey(Newsletter, models.CASCADE, related_name="departures")
    year = models.PositiveSmallIntegerField(_("year"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    readers = models.PositiveIntegerField(_("readers"), default=0)

    class Meta:
        verbose_name = _("departure")
        verbose_name_plural = _("departures")
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "year", "reason"], name="one_count_of_departures_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.reason}: {self.readers}"

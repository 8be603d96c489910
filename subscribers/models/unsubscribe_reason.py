"""Anonymous counts of why readers unsubscribe."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models import Newsletter


class UnsubscribeReason(models.Model):
    """How many readers of a newsletter gave a reason in a year. It stores no shorter period: in a
    month in which one reader unsubscribed, the count would reveal their reason."""

    class Reason(models.TextChoices):
        TOO_MUCH = "too-much", _("There’s too much to read")
        NOT_FOR_ME = "not-for-me", _("It’s not what I was looking for")
        LANGUAGE = "language", _("It’s not in my language")
        NEVER_ASKED = "never-asked", _("I never signed up")
        SAFETY = "safety", _("It isn’t safe for me to receive it")
        ELSEWHERE = "elsewhere", _("I read it elsewhere")

    newsletter = models.ForeignKey(Newsletter, models.CASCADE, related_name="unsubscribe_reasons")
    year = models.PositiveSmallIntegerField(_("year"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    readers = models.PositiveIntegerField(_("readers"), default=0)

    class Meta:
        verbose_name = _("unsubscribe reason")
        verbose_name_plural = _("unsubscribe reasons")
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "year", "reason"], name="one_count_per_newsletter_year_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.reason}: {self.readers}"

"""Who has which role, for which newsletter and which languages."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.lib.fields import LanguageChainField


class Membership(models.Model):
    """One role of one person. Somebody may have several.

    Without a newsletter it counts for all, also for those that are added later; without languages
    it counts for every language.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="memberships",
        verbose_name=_("account"),
    )
    role = models.ForeignKey(
        Group, models.CASCADE, related_name="memberships", verbose_name=_("role")
    )
    newsletter = models.ForeignKey(
        "editorial.Newsletter",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="memberships",
        verbose_name=_("newsletter"),
        help_text=_("Leave empty for all newsletters."),
    )
    languages = LanguageChainField(
        _("languages"),
        blank=True,
        default=(),
        help_text=_("Which languages this person may write in. Leave empty for all."),
    )

    class Meta:
        verbose_name = _("role of an account")
        verbose_name_plural = _("roles of accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "newsletter"],
                name="role_once_per_newsletter",
                violation_error_message=_("This account has the role already."),
            ),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=models.Q(newsletter=None),
                name="role_once_for_all_newsletters",
                violation_error_message=_("This account has the role already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"

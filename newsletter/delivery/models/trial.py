"""Test emails: an edition, sent to a colleague."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class TrialEmail(models.Model):
    """One test email. It never counts as an email to a reader, and the row holds no address."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        UNKNOWN = "unknown", _("perhaps sent")
        """The worker ended while it was sending. It isn't repeated automatically."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="trial_emails", verbose_name=_("to")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    language = models.CharField(max_length=16, help_text="The language of its marks.")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, help_text="By the database's clock.")
    issue = models.ForeignKey("editorial.Issue", models.CASCADE, related_name="trial_emails")
    segment = models.JSONField(help_text="Whose edition it shows: audience.Segment's fields.")
    subject = models.CharField(max_length=300, blank=True, help_text="As it was sent.")
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it wasn't sent; names no address."
    )

    class Meta:
        verbose_name = _("test email")
        verbose_name_plural = _("test emails")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="trial_email_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.issue_id} {self.pk}"

"""Emails to the newsroom's own people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffEmail(models.Model):
    """One email to a member of staff: an invitation, a link for a new password, a test email.

    It never counts as an email to a reader. The row holds neither an address nor a token: a worker
    makes the link when it sends.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        PASSWORD = "password", _("link for a new password")
        TEST = "test", _("test email")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        UNKNOWN = "unknown", _("perhaps sent")
        """The worker ended while it was sending. It isn't repeated automatically."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_emails", verbose_name=_("to")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    language = models.CharField(max_length=16, help_text="The language it is written in.")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, help_text="By the database's clock.")
    issue = models.ForeignKey(
        "editorial.Issue", models.CASCADE, null=True, related_name="test_emails"
    )
    segment = models.JSONField(
        null=True, help_text="Whose edition a test email shows: audience.Segment's fields."
    )
    subject = models.CharField(max_length=300, blank=True, help_text="As it was sent.")
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it wasn't sent; names no address."
    )

    class Meta:
        verbose_name = _("email to staff")
        verbose_name_plural = _("emails to staff")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="staff_email_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

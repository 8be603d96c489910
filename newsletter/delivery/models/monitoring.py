"""What the workers know of the transports, and what people are told about failures (E9)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TransportState(models.Model):
    """A transport as the workers last found it: shared among them, and shown at the desk.

    `name` is the transport's, without secrets. While it is down, only one worker at a time tries
    it, from `retry_at` on. `failures` counts the attempts that failed in a row.
    """

    name = models.CharField(max_length=64, unique=True)
    down_since = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True, help_text="Codes; names no reader.")
    fault = models.CharField(max_length=8, blank=True, help_text="A transport.outcomes.Fault.")
    code = models.PositiveSmallIntegerField(null=True)
    status = models.CharField(max_length=12, blank=True)
    accepted_at = models.DateTimeField(null=True, help_text="When it last accepted a message.")
    facts = models.JSONField(default=dict, help_text="Rate, limits and connections, as learned.")

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A failure that people were told about, or will be. At most one is open for each subject."""

    class Kind(models.TextChoices):
        HELD = "held", _("a mailing is held")
        FAILED = "failed", _("a mailing failed")
        UNKNOWN = "unknown", _("a mailing left readers unknown")
        RATES = "rates", _("many bounces or complaints")
        TRANSPORT = "transport", _("a relay or provider can't be used")
        BACKLOG = "backlog", _("emails that are due are not being sent")
        MAILBOX = "mailbox", _("the mailbox for bounces can't be read")
        APPROVAL = "approval", _("an approval was withdrawn")
        PASSWORDS = "passwords", _("somebody is guessing a password")

    kind = models.CharField(max_length=9, choices=Kind)
    subject = models.CharField(
        max_length=64, help_text="The transport's name, or the mailing's or issue's ID."
    )
    mailing_id = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict, help_text="Codes and counts; names no reader.")
    raised_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    emailed_at = models.DateTimeField(null=True)
    pushed_at = models.DateTimeField(null=True, help_text="When ALERT_URLS were notified.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(resolved_at=None),
                name="one_open_alert_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class AlertRecipient(models.Model):
    """A member of staff who gets alerts by email, in this language."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="alert_recipient"
    )
    language = models.CharField(_("language of the alerts"), max_length=16, default="en")

    class Meta:
        verbose_name = _("alerts by email")
        verbose_name_plural = _("alerts by email")

    def __str__(self) -> str:
        return str(self.user)

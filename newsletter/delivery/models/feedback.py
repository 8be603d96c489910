"""What is kept to understand feedback: providers' message IDs, and each mailing's bounce rate."""

from __future__ import annotations

from django.db import models

from newsletter.delivery.models.mailing import Mailing


class ProviderMessage(models.Model):
    """A provider's ID of one reader's email: how feedback without our own ID finds the reader.

    Providers may give a whole batch one ID, so it identifies a reader only with the recipient.
    Deleted by retention and erasure.
    """

    MAX_LENGTH = 200

    mailing_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    message_id = models.CharField(max_length=MAX_LENGTH)

    class Meta:
        indexes = [
            models.Index(fields=["message_id"]),
            models.Index(fields=["mailing_id"]),
            models.Index(fields=["subscriber_id"]),
        ]

    def __str__(self) -> str:
        return f"mailing {self.mailing_id}: reader {self.subscriber_id}"


class MailingRates(models.Model):
    """What the circuit breaker of a mailing last saw (D4; newsletter.delivery.feedback.rates)."""

    mailing = models.OneToOneField(Mailing, models.CASCADE, primary_key=True, related_name="rates")
    checked_at = models.DateTimeField(null=True)
    pending = models.BooleanField(default=True, help_text="Feedback arrived since the last check.")
    warned = models.BooleanField(default=False)
    blocks_reported = models.BooleanField(default=False)
    paused_at_bounced = models.FloatField(
        null=True, help_text="The bounce rate at which it was last paused."
    )
    paused_at_complained = models.FloatField(
        null=True, help_text="The complaint rate at which it was last paused."
    )

    def __str__(self) -> str:
        return f"mailing {self.mailing_id}"

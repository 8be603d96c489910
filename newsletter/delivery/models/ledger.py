"""The ledger: one row per reader and release, and one per reader and mailing.

It has no foreign keys to readers and no addresses. delivery.personal_data describes erasure.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReleaseRecipient(models.Model):
    """A reader to whom a release is sent. The primary key makes sure that it is sent once."""

    pk = models.CompositePrimaryKey("release_id", "subscriber_id")
    release_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    mailing_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["mailing_id"]), models.Index(fields=["subscriber_id"])]

    def __str__(self) -> str:
        return f"release {self.release_id}: reader {self.subscriber_id}"


class Outcome(models.Model):
    """The result for one reader of one mailing. Inserted once; only `unknown` may change."""

    class Source(models.TextChoices):
        PLANNER = "planner", _("nothing to send")
        """The reader's edition would have been empty."""
        SENDER = "sender", _("the relay's or provider's reply")
        RESCUE = "rescue", _("a worker died")
        """The lease of the batch expired."""
        EVENT = "event", _("the provider reported it later")
        OPERATOR = "operator", _("the operator decided")

    pk = models.CompositePrimaryKey("mailing_id", "subscriber_id")
    mailing_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    result = models.PositiveSmallIntegerField(help_text="A number of transport.outcomes.Result.")
    code = models.PositiveSmallIntegerField(null=True, help_text="SMTP or HTTP reply code.")
    status = models.CharField(
        max_length=12, blank=True, help_text="Enhanced status code (RFC 3463), such as 5.1.1."
    )
    fault = models.CharField(
        max_length=8, blank=True, db_default="", help_text="A transport.outcomes.Fault."
    )
    source = models.CharField(max_length=8, choices=Source)
    batch_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subscriber_id"]), models.Index(fields=["batch_id"])]

    def __str__(self) -> str:
        return f"mailing {self.mailing_id}: reader {self.subscriber_id}: {self.result}"


class Event(models.Model):
    """What a provider or a mailbox reported about an email after it was handed over."""

    class Kind(models.TextChoices):
        ACCEPTED = "accepted", _("accepted by the provider")
        """Settles an unknown outcome; no row is stored for it."""
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("hard bounce")
        DEFERRED = "deferred", _("soft bounce")
        COMPLAINED = "complained", _("reported as spam")
        REJECTED = "rejected", _("rejected by the provider")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed at the provider")

    key = models.BinaryField(
        max_length=32, unique=True, help_text="Hash that identifies the event."
    )
    kind = models.CharField(max_length=12, choices=Kind)
    mailing_id = models.BigIntegerField(null=True)
    subscriber_id = models.BigIntegerField(null=True)
    code = models.PositiveSmallIntegerField(null=True)
    status = models.CharField(max_length=12, blank=True)
    fault = models.CharField(max_length=8, blank=True, help_text="A transport.outcomes.Fault.")
    transport = models.CharField(
        max_length=64, blank=True, help_text="Who reported it: a provider's name, or “mail”."
    )
    on = models.DateField()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["subscriber_id"]),
            models.Index(fields=["mailing_id", "kind"]),
            models.Index(fields=["on"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

"""Work that waits for a worker: encrypted intake items, and transactional emails."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models import Newsletter
from subscribers.models.subscriber import Subscriber, Subscription


class Intake(models.Model):
    """A message from the web process that contains an address, encrypted for the workers. A worker
    opens it, acts on it and deletes it."""

    class Kind(models.TextChoices):
        SIGN_UP = "sign-up", _("a sign-up")
        LINK = "link", _("a request for a link")
        CHANGE = "change", _("a change of address")
        ERASURE = "erasure", _("an erasure")
        WEBHOOK = "webhook", _("a provider's event")
        MAIL = "mail", _("an inbound email")

    kind = models.CharField(max_length=8, choices=Kind)
    sealed = models.BinaryField(editable=False, help_text="A libsodium sealed box around JSON.")
    sealing_key = models.PositiveSmallIntegerField(editable=False)
    received_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("intake item")
        verbose_name_plural = _("intake")
        indexes = [models.Index(fields=["due_at"])]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class TransactionalEmail(models.Model):
    """A single email to one reader, sent ahead of mailings.

    Its text is written when it is sent, in the reader's language. `fence`, `lease_until` and
    `state` are the protocol of a batch, for one message (newsletter.delivery.transactional.outbox).
    """

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", _("confirm subscription")
        ALREADY = "already", _("already subscribed")
        ISSUE = "issue", _("latest issue, requested on the welcome page")
        LINK = "link", _("account link")
        CHANGE = "change", _("confirm change of address")

    class State(models.TextChoices):
        QUEUED = "queued", _("open")
        CLAIMED = "claimed", _("claimed by a worker")
        SENDING = "sending", _("being handed over")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused by the recipient's server")
        FAILED = "failed", _("given up")
        UNKNOWN = "unknown", _("may have been sent")
        DROPPED = "dropped", _("no longer wanted")

    kind = models.CharField(max_length=12, choices=Kind)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="transactional_emails")
    newsletter = models.ForeignKey(Newsletter, models.CASCADE, null=True, blank=True)
    about = models.CharField(max_length=64, blank=True, help_text="The id of what it is about.")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    transport = models.CharField(max_length=64, blank=True)
    code = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12, blank=True)

    class Meta:
        verbose_name = _("transactional email")
        verbose_name_plural = _("transactional emails")
        indexes = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    def subscription(self) -> Subscription | None:
        """Return the subscription that the email is about, or None if it's gone. The subscriber of
        an email of kind CHANGE is the new address; the subscription belongs to the old one."""
        rows = Subscription.objects.select_related("subscriber", "newsletter")
        if self.kind == self.Kind.CHANGE:
            return rows.filter(pk=int(self.about)).exclude(subscriber=self.subscriber_id).first()
        return rows.filter(subscriber=self.subscriber_id, newsletter=self.newsletter_id).first()

"""Readers, their subscriptions and consent, suppressed addresses, and counts of why readers leave.

Addresses are encrypted, and found by a keyed hash.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models import Newsletter, User
from newsletter.lib.fields import LanguageChainField, TopicIdsField, join_chain
from newsletter.lib.languages import LanguageField


class Subscriber(models.Model):
    """A reader: a random ID, an encrypted address and its hash."""

    public_id = models.UUIDField(_("reader ID"), default=uuid.uuid4, unique=True, editable=False)
    sealed_address = models.BinaryField(
        editable=False, help_text="AES-256-GCM, bound to public_id; see subscribers.crypto.sealing."
    )
    storage_key = models.PositiveSmallIntegerField(editable=False)
    address_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    address_hash_key = models.PositiveSmallIntegerField(editable=False)
    language = LanguageField(verbose_name=_("language of pages"))
    created_on = models.DateField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("reader")
        verbose_name_plural = _("readers")
        indexes = [models.Index(fields=["storage_key"]), models.Index(fields=["address_hash_key"])]

    def __str__(self) -> str:
        return str(self.public_id)

    def is_suppressed(self) -> bool:
        """Return whether emails to this reader bounced or were reported as spam."""
        return Suppression.blocks(bytes(self.address_hash))


class Subscription(models.Model):
    """A reader's subscription to one newsletter, with their preferences.

    `languages` is the chain, in order of preference; `topics` is None for all topics. Nothing is
    sent before `paused_until`. `preferred_hour` is an hour in the newsletter's time zone, or None.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting for confirmation")
        ACTIVE = "active", _("active")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    class Frequency(models.TextChoices):
        WEEKLY = "weekly", _("every week")
        MONTHLY = "monthly", _("monthly round-up")

    class Content(models.TextChoices):
        DEFAULT = "", _("newsletter default")
        LEAD = "lead", _("headlines and leads")
        FULL = "full", _("full text")

    class Source(models.TextChoices):
        FORM = "form", _("sign-up form")
        OPERATOR = "operator", _("added by the operator")
        IMPORT = "import", _("imported")
        SAMPLE = "sample", _("a reader of the sample newsroom")

    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="subscriptions", verbose_name=_("reader")
    )
    newsletter = models.ForeignKey(
        Newsletter, models.CASCADE, related_name="subscriptions", verbose_name=_("newsletter")
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    languages = LanguageChainField(_("languages"))
    topics = TopicIdsField(_("topics"))
    frequency = models.CharField(
        _("frequency"), max_length=8, choices=Frequency, default=Frequency.WEEKLY
    )
    paused_until = models.DateField(_("paused until"), null=True, blank=True)
    preferred_hour = models.PositiveSmallIntegerField(_("delivery time"), null=True, blank=True)
    content = models.CharField(
        _("content of each email"), max_length=10, choices=Content, blank=True
    )
    pictures = models.BooleanField(_("pictures"), default=True)
    plain_text = models.BooleanField(_("text only"), default=False)
    discreet = models.BooleanField(_("discreet"), default=False)
    mailbox_provider = models.CharField(max_length=20, blank=True, editable=False)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.FORM)
    created_on = models.DateField(_("since"), auto_now_add=True)
    confirmed_on = models.DateField(_("confirmed on"), null=True, blank=True)
    unsubscribed_on = models.DateField(_("unsubscribed on"), null=True, blank=True)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "newsletter"], name="one_subscription_each"
            ),
            models.CheckConstraint(condition=~Q(languages=""), name="subscription_has_a_language"),
            models.CheckConstraint(condition=Q(preferred_hour__lte=23), name="hour_is_of_a_day"),
        ]
        indexes = [models.Index(fields=["newsletter", "state"])]

    def __str__(self) -> str:
        return f"#{self.pk} {join_chain(self.languages)}"


class Consent(models.Model):
    """Evidence of what a reader agreed to (GDPR Art. 7(1), B8). Append-only."""

    class Action(models.TextChoices):
        REQUESTED = "requested", _("requested on the form")
        CONFIRMED = "confirmed", _("confirmed")
        RECORDED = "recorded", _("recorded by the operator")
        CHANGED = "changed", _("changed preferences")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="consents")
    action = models.CharField(_("what happened"), max_length=12, choices=Action)
    wording = models.TextField(
        _("wording"), blank=True, help_text=_("The text the reader agreed to.")
    )
    wording_version = models.CharField(_("wording version"), max_length=16, blank=True)
    language = LanguageField()
    source = models.CharField(_("source"), max_length=10, choices=Subscription.Source)
    at = models.DateTimeField(_("time"), help_text=_("To the minute."))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.action} {self.at:%Y-%m-%d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Consent is append-only.")
        super().save(*args, **kwargs)

    def evidence(self) -> dict[str, str]:
        """Return the row as JSON data, for the reader and for the newsroom."""
        return {
            "action": self.action,
            "wording": self.wording,
            "version": self.wording_version,
            "language": self.language,
            "source": self.source,
            "at": self.at.isoformat(timespec="minutes"),
        }


class Suppression(models.Model):
    """An address that gets no email, known by its hash alone. It outlives erasure."""

    class Reason(models.TextChoices):
        """The strongest first."""

        COMPLAINED = "complained", _("reported an email as spam")
        BOUNCED = "bounced", _("emails bounced")
        ERASED = "erased", _("asked for erasure")

    address_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    address_hash_key = models.PositiveSmallIntegerField(editable=False)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    since = models.DateField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return f"{self.reason} {self.since}"

    @classmethod
    def blocks(cls, address_hash: bytes) -> bool:
        """Return whether the address is suppressed for a reason that a sign-up doesn't lift."""
        blocking = (cls.Reason.COMPLAINED, cls.Reason.BOUNCED)
        return cls.objects.filter(address_hash=address_hash, reason__in=blocking).exists()

    @classmethod
    def stronger(cls, reason: str, other: str) -> bool:
        """Return whether `reason` replaces `other`."""
        order = cls.Reason.values
        return order.index(reason) < order.index(other)


class LiftedSuppression(models.Model):
    """Evidence that staff lifted a suppression, so that the address can be subscribed again (B12).

    It belongs to the reader and is erased with them.
    """

    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, null=True, related_name="lifted_suppressions"
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Suppression.Reason)
    since = models.DateField(_("since"))
    lifted_at = models.DateTimeField(_("lifted at"))
    lifted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("lifted suppression")
        verbose_name_plural = _("lifted suppressions")

    def __str__(self) -> str:
        return f"{self.reason} {self.lifted_at:%Y-%m-%d}"


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

"""A mailing: what is sent (Release, Mailing, Edition), in portions (Batch)."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from newsletter.digest.dates import month_name, week_range
from newsletter.editorial.models import Issue, Newsletter
from newsletter.lib.languages import LanguageField, language_name_in


class KillSwitch(models.Model):
    """The one row that all senders ask: while it is `engaged`, no permission to send is given."""

    singleton = models.BooleanField(default=True, unique=True, editable=False)
    engaged = models.BooleanField(default=False)
    engaged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="one_kill_switch")]

    def __str__(self) -> str:
        return "on" if self.engaged else "off"


class Release(models.Model):
    """What a newsletter sends for one period. A reader gets a release once.

    A monthly release has no issue: it contains the articles of that month's issues.
    """

    class Kind(models.TextChoices):
        WEEKLY = "weekly", _("weekly")
        MONTHLY = "monthly", _("monthly round-up")
        SPECIAL = "special", _("special issue")

    newsletter = models.ForeignKey(Newsletter, models.PROTECT, related_name="releases")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.WEEKLY)
    period = models.CharField(
        max_length=64, help_text="The week's Monday, the month, or the slug of a special issue."
    )
    issue = models.ForeignKey(Issue, models.SET_NULL, null=True, related_name="releases")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["newsletter", "kind", "period"], name="one_release")
        ]

    def __str__(self) -> str:
        kind = f" · {self.get_kind_display()}" if self.kind == self.Kind.MONTHLY else ""
        return f"{self.newsletter}, {self.period_name}{kind}"

    @property
    def period_name(self) -> str:
        """The issue, the week or the month, written out in the active language."""
        if self.issue:
            return str(self.issue)
        language = get_language() or "en"
        if self.kind == self.Kind.MONTHLY:
            return month_name(date.fromisoformat(f"{self.period}-01"), language)
        if self.kind == self.Kind.WEEKLY:
            monday = date.fromisoformat(self.period)
            return week_range(monday, monday + timedelta(days=6), language, today=date.min)
        return self.period


class Mailing(models.Model):
    """The sending of a release to one audience.

    `language` belongs to the audience `first_language`. `number` counts the mailings to an
    audience that can be repeated (`unreached`, `in_doubt`); it is 1 for the others.
    """

    class Audience(models.TextChoices):
        ALL = "all", _("all readers")
        """Every reader who isn't a recipient of an earlier mailing of the release."""
        FIRST_LANGUAGE = "first_language", _("one language first")
        """Readers whose language chain starts with `language`; `all` can reach the rest later."""
        UNREACHED = "unreached", _("not reached")
        """Readers whose last outcome is refused, failed or skipped; never unknown."""
        IN_DOUBT = "in_doubt", _("in doubt")
        """Readers whose outcome is unknown; the operator accepts that some get it twice."""
        WELCOME = "welcome", _("new readers")
        """New readers who asked for the latest issue when they subscribed."""

    class State(models.TextChoices):
        HELD = "held", _("held for review")
        SCHEDULED = "scheduled", _("scheduled")
        """A tick starts it at `send_at`."""
        PREPARING = "preparing", _("preparing")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("cancelled")
        FINISHED = "finished", _("finished")
        CLOSED = "closed", _("closed (only counts are kept)")

    class Hold(models.TextChoices):
        NONE = "", _("not held")
        NOT_APPROVED = "not-approved", _("the issue has not been approved")
        CHANGED = "changed", _("the issue has changed since it was approved")
        NO_ISSUE = "no-issue", _("there is no issue for this week")
        TOO_THIN = "too-thin", _("too few articles are ready")
        LATE = "late", _("its time passed while Tydzen was not running")
        UNRENDERABLE = "unrenderable", _("an edition failed its checks")
        RESTORED = "restored", _("restored from a backup")
        KILL_SWITCH = "kill-switch", _("the kill switch was on")
        RATES = "rates", _("too many bounces or complaints")
        REFUSED = "refused", _("the relay or provider refuses our emails")
        BY_HAND = "by-hand", _("an editor holds it")

    release = models.ForeignKey(Release, models.PROTECT, related_name="mailings")
    audience = models.CharField(
        _("audience"), max_length=16, choices=Audience, default=Audience.ALL
    )
    language = LanguageField(blank=True, default="")
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PREPARING)
    hold = models.CharField(_("hold reason"), max_length=16, choices=Hold, blank=True)
    hold_detail = models.CharField(max_length=300, blank=True)
    hold_facts = models.JSONField(
        default=dict,
        blank=True,
        help_text="Of a refusal: the transport, fault, code, status and number of readers.",
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    send_at = models.DateTimeField(
        _("scheduled for"), null=True, blank=True, help_text="When a tick starts it."
    )
    progress = models.JSONField(
        default=dict, blank=True, help_text="While it is prepared: the step, done and of how many."
    )
    snapshot_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    readers = models.PositiveBigIntegerField(
        _("readers"), null=True, help_text="How many readers are in the snapshot."
    )
    checksum = models.BigIntegerField(
        null=True, help_text="Sum of the hashes of their IDs, modulo 2**63."
    )
    counts = models.JSONField(
        default=dict, blank=True, help_text="What is kept of a closed mailing."
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        permissions = [("control_mailing", _("Can pause, resume and cancel"))]
        constraints = [
            models.UniqueConstraint(
                fields=["release", "audience", "language", "number"],
                name="one_mailing_per_audience",
            ),
            models.CheckConstraint(
                condition=Q(audience="first_language") & ~Q(language="")
                | ~Q(audience="first_language") & Q(language=""),
                name="language_goes_with_first_language",
            ),
            models.CheckConstraint(
                condition=Q(number=1) | Q(number__gt=1) & Q(audience__in=["unreached", "in_doubt"]),
                name="only_repeatable_audiences_are_numbered",
            ),
        ]
        indexes = [models.Index(fields=["state"])]

    def __str__(self) -> str:
        return f"{self.release} ({self.audience_label})"

    @property
    def audience_label(self) -> str:
        """Return the audience in the active language, such as “not reached, round 2”."""
        if self.audience == self.Audience.FIRST_LANGUAGE:
            name = language_name_in(self.language, get_language() or "en")
            return gettext("%(language)s first") % {"language": name}
        label = str(self.get_audience_display())
        if self.number == 1:
            return label
        return gettext("%(audience)s, round %(number)d") % {
            "audience": label,
            "number": self.number,
        }


class Edition(models.Model):
    """What a group of readers gets, exactly as sent, with placeholders for personal parts.

    `key` identifies the result (the articles in order, each with its language, the page language
    and the format).
    """

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="editions")
    key = models.CharField(max_length=64)
    public_id = models.CharField(max_length=32, unique=True, help_text="Part of its URL.")
    language = LanguageField()
    label = models.CharField(
        max_length=200, blank=True, help_text="Shown at the desk, such as “be, ru · lead”."
    )
    subject = models.CharField(max_length=300)
    preheader = models.CharField(max_length=300, blank=True)
    html = models.TextField(blank=True, help_text="Empty for readers who chose plain text.")
    text = models.TextField()
    headers = models.JSONField(help_text="From, Reply-To, List-Id …, the same for all readers.")
    images = models.JSONField(default=list, blank=True, help_text="[{cid, name in storage, type}]")
    size = models.PositiveIntegerField(
        default=0, help_text="Bytes of the email with its pictures, as it is sent."
    )
    discreet = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        constraints = [
            models.UniqueConstraint(fields=["mailing", "key"], name="one_edition_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id} {self.label}"


class Batch(models.Model):
    """Up to SEND_BATCH_SIZE readers of one edition.

    `reader_ids` are 8-byte big-endian IDs. Positions below `intent` may have been handed over;
    the others have not. `results` has one byte per position (transport.outcomes.Result), stored
    up to the last permission. `fence` counts the claims: only the latest claim may write.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLAIMED = "claimed", _("claimed by a worker")
        CLOSED = "closed", _("outcomes recorded")

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="batches")
    edition = models.ForeignKey(Edition, models.PROTECT, related_name="batches")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    reader_ids = models.BinaryField()
    size = models.PositiveIntegerField()
    intent = models.PositiveIntegerField(default=0)
    results = models.BinaryField(default=b"")
    replies = models.JSONField(
        default=dict,
        blank=True,
        help_text="{position: [code, enhanced status, fault]} of the emails that were not sent.",
    )
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(
        max_length=80, blank=True, help_text="The process with the latest claim: lib.processes."
    )
    due_at = models.DateTimeField()
    give_up_at = models.DateTimeField(null=True, blank=True)
    round = models.PositiveSmallIntegerField(default=0)
    deferred_by = models.CharField(
        max_length=200,
        blank=True,
        help_text="Why it was deferred: the codes of the relay or provider.",
    )
    predecessor = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="successor"
    )
    transport = models.CharField(max_length=64, blank=True, help_text="The transport that sent it.")

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [
            models.Index(fields=["state", "due_at"]),
            models.Index(fields=["mailing", "state"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(intent__lte=models.F("size")), name="intent_within_batch"
            )
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"

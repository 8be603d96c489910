"""Issues, topics, and the weekly trends of topics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from newsletter.digest.dates import week_range
from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.models.newsroom import Newsletter
from newsletter.editorial.models.translations import Translated, Translation
from newsletter.editorial.querysets import IssueQuerySet, TrendQuerySet
from newsletter.editorial.schedule import monday_of
from newsletter.editorial.search.documents import Document, text_of
from newsletter.editorial.search.searchable import (
    Searchable,
    SearchableManager,
    SearchableQuerySet,
)
from newsletter.lib.text_fields import (
    LONGEST_BODY,
    LONGEST_TEXT,
    LinesField,
    OneLineField,
    RichTextField,
    SlugField,
)


class Topic(Translated["TopicTranslation"], models.Model):
    """A subject that the newsletter follows from week to week."""

    newsletter = models.ForeignKey(
        Newsletter, models.CASCADE, related_name="topics", verbose_name=_("newsletter")
    )
    slug = SlugField(_("slug"), help_text=_("Part of the URL."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        constraints = [
            models.UniqueConstraint(fields=["newsletter", "slug"], name="topic_slug_once")
        ]

    def __str__(self) -> str:
        return self.name_in([get_language() or ""])

    def name_in(self, chain: Iterable[str]) -> str:
        """Return its name in the first available language of `chain`, or else in any."""
        text = self.any_text(chain)
        return text.name if text else self.slug


class TopicTranslation(Translation):
    """A topic's name in one language."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="translations")
    name = OneLineField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("topic name")
        constraints = [
            models.UniqueConstraint(fields=["topic", "language"], name="topic_once_per_language")
        ]

    def __str__(self) -> str:
        return self.name


class Trend(models.Model):
    """How a topic's situation changed in one week."""

    class Status(models.TextChoices):
        IMPROVED = "improved", _("the situation has improved")
        UNCHANGED = "unchanged", _("the situation has not changed")
        WORSENED = "worsened", _("the situation has worsened")

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="trends")
    week = models.DateField(_("week"), help_text=_("The Monday it starts on."))
    status = models.CharField(_("status"), max_length=10, choices=Status)

    objects = TrendQuerySet.as_manager()

    class Meta:
        ordering = ["-week", "topic__position"]
        verbose_name = _("trend")
        verbose_name_plural = _("trends")
        constraints = [
            models.UniqueConstraint(fields=["topic", "week"], name="one_trend_per_topic_and_week"),
            models.CheckConstraint(
                condition=Q(week__iso_week_day=1), name="trend_week_is_a_monday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.week}: {self.get_status_display()}"


class Issue(Translated["IssueTranslation"], models.Model):
    """Articles that go out together: of a week, of several weeks, or a special issue."""

    class Kind(models.TextChoices):
        WEEK = "week", _("a week")
        WEEKS = "weeks", _("several weeks")
        SPECIAL = "special", _("special issue")
        BREAK = "break", _("a break (nothing is sent)")

    class State(models.TextChoices):
        DRAFT = "draft", _("in preparation")
        APPROVED = "approved", _("approved")

    newsletter = models.ForeignKey(
        Newsletter, models.CASCADE, related_name="issues", verbose_name=_("newsletter")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.WEEK)
    starts_on = models.DateField(
        _("from"), help_text=_("A Monday, unless this is a special issue.")
    )
    ends_on = models.DateField(_("to"), help_text=_("A Sunday, unless this is a special issue."))
    slug = SlugField(_("slug"), blank=True, help_text=_("For a special issue: part of its URL."))
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.DRAFT, editable=False
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="approved_issues",
    )
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_digest = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="The hash of what was approved (newsletter.editorial.approval).",
    )
    withdrawn_from = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="Whose approval a change by somebody else withdrew, until it is approved again.",
    )
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="Who made that change; nobody if it was made outside the desk.",
    )
    note = LinesField(_("internal note"), max_length=LONGEST_TEXT, blank=True)

    objects = IssueQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_on", "-pk"]
        verbose_name = _("issue")
        verbose_name_plural = _("issues")
        permissions = [("send_issue", _("Can approve, schedule and send"))]
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "starts_on"],
                condition=~Q(kind="special"),
                name="one_scheduled_issue_per_week",
                violation_error_message=_("There is already an issue for this week."),
            ),
            models.UniqueConstraint(
                fields=["newsletter", "slug"], condition=Q(kind="special"), name="special_slug_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="issue_ends_after_it_starts",
                violation_error_message=_("The last day must not be before the first day."),
            ),
            models.CheckConstraint(
                condition=Q(kind="special") | Q(starts_on__iso_week_day=1, ends_on__iso_week_day=7),
                name="issue_is_whole_weeks",
                violation_error_message=_("A week runs from Monday to Sunday."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="special") | ~Q(slug=""),
                name="special_has_a_slug",
                violation_error_message=_("A special issue needs a slug."),
            ),
        ]

    def __str__(self) -> str:
        """Return its days in the active language, with the year; the slug of a special issue."""
        if self.kind == self.Kind.SPECIAL:
            return self.slug
        language = get_language() or "en"
        return week_range(self.starts_on, self.ends_on, language, today=date.min)

    @property
    def key(self) -> str:
        """The issue's name in URLs and releases: its Monday, or a special issue's slug."""
        return self.slug if self.kind == self.Kind.SPECIAL else self.starts_on.isoformat()

    @property
    def is_approved(self) -> bool:
        return self.state == self.State.APPROVED

    @property
    def last_week(self) -> date:
        """The Monday of the last week that it covers."""
        return monday_of(self.ends_on)

    def goes_out_with(self, week: date) -> bool:
        """Return whether the schedule sends the issue when the week of that Monday is due.

        An issue of several weeks goes out with the last of them. A break never goes out.
        """
        return self.kind != self.Kind.BREAK and self.last_week == week

    def clean(self) -> None:
        if self.kind == self.Kind.SPECIAL or not self.newsletter_id:
            return
        if not (self.starts_on and self.ends_on):
            return  # the missing field has its own error
        others = Issue.objects.scheduled().filter(
            newsletter_id=self.newsletter_id,
            starts_on__lte=self.ends_on,
            ends_on__gte=self.starts_on,
        )
        other = others.exclude(pk=self.pk).first()
        if other:
            raise ValidationError(
                _("These weeks overlap with the issue of %(other)s."), params={"other": str(other)}
            )


class IssueTranslation(Searchable, Translation):
    """An issue's own texts in one language. Empty ones default to texts of the articles."""

    searched_fields = frozenset({"language", "subject", "preheader", "introduction"})

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="translations")
    subject = OneLineField(
        _("subject"),
        max_length=200,
        blank=True,
        help_text=_("If left empty, the first headline is used."),
    )
    preheader = OneLineField(
        _("preheader"),
        max_length=200,
        blank=True,
        help_text=_("Shown after the subject in the reader’s inbox: 40 to 130 characters."),
    )
    introduction = RichTextField(_("introduction"), max_length=LONGEST_BODY, blank=True)

    objects = SearchableManager.from_queryset(SearchableQuerySet)()

    class Meta:
        verbose_name = _("issue translation")
        constraints = [
            models.UniqueConstraint(fields=["issue", "language"], name="issue_once_per_language")
        ]

    def __str__(self) -> str:
        return self.subject or self.language

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.introduction = clean_html(self.introduction)
        super().save(*args, **kwargs)

    def document(self) -> Document:
        return Document(
            headline=self.subject,
            lead=self.preheader,
            body=text_of(self.introduction),
            language=self.language,
        )

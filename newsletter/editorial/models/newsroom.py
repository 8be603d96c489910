"""The newsroom, its staff, and its newsletters."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from newsletter.digest.languages import page_chain
from newsletter.editorial import pictures
from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.models.picture import UNSAVED_FILES_AFTER, discard
from newsletter.editorial.models.translations import Translated, Translation
from newsletter.editorial.picture_field import PictureField
from newsletter.editorial.schedule import Rule
from newsletter.editorial.validation import validate_choices, validate_languages
from newsletter.lib.text_fields import (
    LONGEST_TEXT,
    EmailField,
    OneLineField,
    RichTextField,
    SlugField,
    TextsField,
)
from newsletter.lib.time_zones import validate_zone

COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Enter a colour such as #8a1c1c."))


class User(AbstractUser):
    """An editor, translator or operator."""

    first_name = OneLineField(
        AbstractUser._meta.get_field("first_name").verbose_name, max_length=150, blank=True
    )
    last_name = OneLineField(
        AbstractUser._meta.get_field("last_name").verbose_name, max_length=150, blank=True
    )

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")


class Newsroom(Translated["NewsroomTranslation"], models.Model):
    """The publisher: its name, design, and pages about it. There is only one row."""

    singleton = models.BooleanField(default=True, unique=True, editable=False)
    logo = PictureField(_("logo"), upload_to="newsroom/", blank=True)
    accent = OneLineField(
        _("accent colour"),
        max_length=7,
        default="#8a1c1c",
        validators=[COLOUR],
        help_text=_(
            "Used for links and buttons. Needs a contrast of at least 4.5:1 against white."
        ),
    )
    ink = OneLineField(_("text colour"), max_length=7, default="#1c1b1a", validators=[COLOUR])
    postal_address = OneLineField(
        _("postal address"),
        max_length=300,
        blank=True,
        help_text=_("Shown at the end of each email. Many countries require it by law."),
    )
    follow_links = TextsField(
        _("follow links"),
        default=list,
        blank=True,
        help_text=_('A list, for example [{"label": "Telegram", "url": "https://t.me/…"}].'),
    )
    is_sample = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = _("newsroom")
        constraints = [
            models.CheckConstraint(condition=models.Q(singleton=True), name="one_newsroom")
        ]

    def __str__(self) -> str:
        text = self.any_text([get_language() or ""])
        return text.name if text else str(_("Newsroom"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the logo without metadata. Raises ValidationError if it isn't a picture."""
        self._store_logo()
        before = Newsroom.objects.filter(pk=self.pk).exclude(logo__in=["", self.logo.name or ""])
        replaced = {str(name) for name in before.values_list("logo", flat=True)}
        super().save(*args, **kwargs)
        discard(replaced)

    def _store_logo(self) -> None:
        if self.logo and pictures.is_new(self.logo):
            name = pictures.store(self.logo.file, folder="newsroom").name
            discard({name}, after=UNSAVED_FILES_AFTER)
            self.logo = name

    def clean(self) -> None:
        try:
            self._store_logo()
        except ValidationError as error:
            raise ValidationError({"logo": error.messages}) from None
        for link in self.follow_links if isinstance(self.follow_links, list) else [None]:
            if not isinstance(link, dict) or not str(link.get("url", "")).startswith("https://"):
                raise ValidationError(
                    {"follow_links": _("Each link needs a label and an https URL.")}
                )


class NewsroomTranslation(Translation):
    """The newsroom in one language."""

    newsroom = models.ForeignKey(Newsroom, models.CASCADE, related_name="translations")
    name = OneLineField(_("name"), max_length=120)
    tagline = OneLineField(_("tagline"), max_length=200, blank=True)
    about = RichTextField(_("About page"), max_length=LONGEST_TEXT, blank=True)
    privacy = RichTextField(_("Privacy page"), max_length=LONGEST_TEXT, blank=True)

    class Meta:
        verbose_name = _("newsroom translation")
        constraints = [
            models.UniqueConstraint(
                fields=["newsroom", "language"], name="newsroom_once_per_language"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.about, self.privacy = clean_html(self.about), clean_html(self.privacy)
        super().save(*args, **kwargs)


class Newsletter(Translated["NewsletterTranslation"], models.Model):
    """A weekly newsletter: its languages, choices on the sign-up form, and schedule."""

    class Approval(models.TextChoices):
        EDITOR = "editor", _("a publisher approves each issue")
        OTHER = "other", _("a publisher who wrote none of its texts approves each issue")
        AUTOMATIC = "automatic", _("ready articles are sent automatically")

    class Period(models.TextChoices):
        ENDED = "ended", _("the week that has ended")
        CURRENT = "current", _("the current week")

    class Content(models.TextChoices):
        LEAD = "lead", _("headline and lead")
        FULL = "full", _("full text")

    class Pictures(models.TextChoices):
        NONE = "none", _("no pictures")
        EMBEDDED = "embedded", _("embedded in the email")
        LINKED = "linked", _("linked (one URL for all readers)")

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    slug = SlugField(_("slug"), unique=True, help_text=_("Part of its URLs."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    languages = TextsField(
        _("languages"),
        default=list,
        help_text=_('Language codes in order, for example ["en", "be", "ru"].'),
    )
    choices = TextsField(
        _("choices on the sign-up form"),
        default=list,
        blank=True,
        help_text=_('For example [{"label": "BE/RU", "languages": ["be", "ru"]}].'),
    )
    sender_address = EmailField(_("sender address"), help_text=_("The From address of each email."))
    reply_to = EmailField(_("reply-to address"), blank=True)
    list_domain = OneLineField(
        _("list domain"),
        max_length=200,
        blank=True,
        help_text=_(
            "The domain in the List-Id header. If left empty, the sender’s domain is used."
        ),
    )

    schedule_active = models.BooleanField(_("send automatically each week"), default=False)
    schedule_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the schedule was last changed. Issues due before then are not sent late.",
    )
    weekday = models.PositiveSmallIntegerField(
        _("weekday"), choices=Weekday, default=Weekday.MONDAY
    )
    time = models.TimeField(_("local time"), default="09:00")
    timezone = OneLineField(
        _("time zone"), max_length=64, default="Europe/Minsk", validators=[validate_zone]
    )
    period = models.CharField(_("covers"), max_length=8, choices=Period, default=Period.ENDED)
    approval = models.CharField(
        _("approval"), max_length=10, choices=Approval, default=Approval.EDITOR
    )
    least_articles = models.PositiveSmallIntegerField(
        _("minimum number of articles"),
        default=1,
        help_text=_("An issue with fewer articles is held for review."),
    )

    content = models.CharField(
        _("content of each email"), max_length=10, choices=Content, default=Content.LEAD
    )
    pictures = models.CharField(
        _("pictures"), max_length=10, choices=Pictures, default=Pictures.EMBEDDED
    )

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("newsletter")
        verbose_name_plural = _("newsletters")

    def __str__(self) -> str:
        return self.name_in(get_language() or "")

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not Newsletter.objects.filter(pk=self.pk, **self._schedule()).exists():
            self.schedule_since = timezone.now()
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "schedule_since"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        validate_languages(self.languages)
        validate_choices(self.choices, self.languages)

    def _schedule(self) -> dict[str, Any]:
        """Return the fields whose change resets `schedule_since`."""
        names = ("schedule_active", "weekday", "time", "timezone", "period")
        return {name: getattr(self, name) for name in names}

    def chains(self) -> list[tuple[str, ...]]:
        """Return the chain of each choice on the form, or each language if there are none."""
        choices: list[dict[str, Any]] = self.choices
        return [tuple(choice["languages"]) for choice in choices] or [(c,) for c in self.languages]

    @property
    def rule(self) -> Rule:
        """When the newsletter is due. Whether the schedule is active doesn't matter here."""
        return Rule(
            weekday=self.weekday,
            time=self.time,
            zone=self.timezone,
            sends_ended_week=self.period == self.Period.ENDED,
        )

    def has_enough_articles(self, count: int) -> bool:
        """Return whether the schedule sends an issue with this many articles."""
        return count >= max(self.least_articles, 1)

    def chain_for(self, language: str) -> tuple[str, ...]:
        """Return the languages for a page or an email in `language`, best first."""
        return page_chain(language, self.chains(), self.languages)

    def name_in(self, language: str) -> str:
        """Return the newsletter's name on a page or in an email in `language`."""
        text = self.any_text(self.chain_for(language))
        return text.name if text else self.slug

    def sender_name_in(self, language: str) -> str:
        """Return the sender's name of emails in `language`."""
        text = self.any_text(self.chain_for(language))
        return (text.sender_name or text.name) if text else self.slug

    def local_date(self, at: datetime) -> date:
        """Return the date at that moment in the newsletter's time zone."""
        return at.astimezone(ZoneInfo(self.timezone)).date()


class NewsletterTranslation(Translation):
    """A newsletter's texts in one language."""

    newsletter = models.ForeignKey(Newsletter, models.CASCADE, related_name="translations")
    name = OneLineField(_("name"), max_length=120)
    sender_name = OneLineField(_("sender name"), max_length=120, blank=True)
    promise = OneLineField(
        _("description on the form"),
        max_length=300,
        blank=True,
        help_text=_("Shown in the sign-up box, for example “Once a week …”"),
    )
    footer = OneLineField(_("email footer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("newsletter translation")
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "language"], name="newsletter_once_per_language"
            )
        ]

    def __str__(self) -> str:
        return self.name

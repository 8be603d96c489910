"""Articles, their translations, their pictures."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models.issue import Issue, Topic
from newsletter.editorial.models.newsroom import Newsletter
from newsletter.lib.languages import LanguageField


class Picture(models.Model):
    """A picture and whose it is. The label before the name is in the page's language."""

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        IMAGE = "image", _("Image")
        GRAPHIC = "graphic", _("Graphic")

    file = models.ImageField(
        _("file"), upload_to="pictures/%Y/", blank=True, width_field="width", height_field="height"
    )
    width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PHOTO)
    credit = models.CharField(_("credit"), max_length=200, blank=True, help_text=_("Whose it is."))
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        name = str(self.file.name).rsplit("/", 1)[-1] if self.file else _("no file")
        return f"{name} ({self.credit})" if self.credit else str(name)


class Article(models.Model):
    """One piece; its words are in its translations."""

    class Dateline(models.TextChoices):
        AUTO = "auto", _("the week where its topic has a trend, else date and time")
        WEEK = "week", _("the week")
        MOMENT = "moment", _("date and time")

    newsletter = models.ForeignKey(
        Newsletter, models.CASCADE, related_name="articles", verbose_name=_("newsletter")
    )
    issue = models.ForeignKey(
        Issue,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="articles",
        verbose_name=_("issue"),
    )
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="articles",
        verbose_name=_("topic"),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    original_language = LanguageField(verbose_name=_("original language"), default="en")
    dateline = models.CharField(
        _("dateline"), max_length=8, choices=Dateline, default=Dateline.AUTO
    )
    published_at = models.DateTimeField(_("published at"), default=timezone.now)
    picture = models.ForeignKey(
        Picture, models.SET_NULL, null=True, blank=True, related_name="articles",
        verbose_name=_("picture"),
    )  # fmt: skip
    similar = models.ManyToManyField(
        "self", symmetrical=False, blank=True, verbose_name=_("similar articles"),
        help_text=_("Up to three; left empty, the nearest of the same topic are shown."),
    )  # fmt: skip

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        indexes = [models.Index(fields=["newsletter", "published_at"])]

    def __str__(self) -> str:
        first = next(iter(self.translations.all()), None)
        return first.headline if first else f"#{self.pk}"


class ArticleTranslation(models.Model):
    """An article in one language."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        REVIEW = "review", _("in review")
        READY = "ready", _("ready")

    article = models.ForeignKey(Article, models.CASCADE, related_name="translations")
    language = LanguageField()
    headline = models.CharField(_("headline"), max_length=250)
    slug = models.SlugField(
        _("address"), max_length=120, blank=True,
        help_text=_("Made from the headline; it stays once the article is public."),
    )  # fmt: skip
    lead = models.TextField(_("lead"), blank=True)
    body = models.TextField(_("text"), blank=True)
    authors = models.CharField(
        _("authors"), max_length=300, blank=True, help_text=_("Names, separated by commas.")
    )
    picture_text = models.CharField(
        _("picture in words"),
        max_length=300,
        blank=True,
        help_text=_("For those who can't see it."),
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=1, editable=False)
    source_revision = models.PositiveIntegerField(null=True, blank=True, editable=False)
    correction = models.TextField(
        _("correction"), blank=True, help_text=_("What was corrected; shown with its date.")
    )
    corrected_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("article in a language")
        constraints = [
            models.UniqueConstraint(
                fields=["article", "language"], name="article_once_per_language"
            ),
            models.UniqueConstraint(
                fields=["language", "slug"], condition=~Q(slug=""), name="article_slug_once"
            ),
        ]

    def __str__(self) -> str:
        return self.headline

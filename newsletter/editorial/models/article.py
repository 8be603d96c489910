"""Articles with their translations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from newsletter.editorial import ordering
from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.models.issue import Issue, Topic
from newsletter.editorial.models.newsroom import Newsletter, User
from newsletter.editorial.models.picture import Picture
from newsletter.editorial.models.revision import Revision
from newsletter.editorial.models.translations import Translated, Translation
from newsletter.editorial.querysets import ArticleQuerySet, ArticleTranslationQuerySet
from newsletter.editorial.revisions import prepare_to_save, record
from newsletter.editorial.search.documents import Document, text_of
from newsletter.editorial.search.searchable import (
    Searchable,
    SearchableManager,
)
from newsletter.lib.languages import LanguageField, page_language
from newsletter.lib.text_fields import (
    LONGEST_BODY,
    LONGEST_TEXT,
    LinesField,
    OneLineField,
    RichTextField,
    SlugField,
)


class Article(Translated["ArticleTranslation"], models.Model):
    """An article. Its texts are in its translations."""

    class Dateline(models.TextChoices):
        AUTO = "auto", _("the week if its topic has a trend, otherwise date and time")
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
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="articles",
        verbose_name=_("topic"),
    )
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=0,
        validators=[MaxValueValidator(ordering.LIFT - 1)],
        help_text=_("In its issue. 0 puts it last."),
    )
    external_id = OneLineField(
        max_length=100,
        blank=True,
        editable=False,
        help_text="Its ID in the program it was imported from. Empty if it was written here.",
    )
    original_language = LanguageField(verbose_name=_("original language"), default="en")
    dateline = models.CharField(
        _("dateline"), max_length=8, choices=Dateline, default=Dateline.AUTO
    )
    published_at = models.DateTimeField(_("published"), default=timezone.now)
    picture = models.ForeignKey(
        Picture,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="articles",
        verbose_name=_("picture"),
    )
    credit_kind = models.CharField(
        _("kind of credit"), max_length=8, choices=Picture.Kind, default=Picture.Kind.PHOTO
    )
    credit = OneLineField(
        _("credit without a picture"),
        max_length=200,
        blank=True,
        help_text=_("Imported articles may name the author of a picture that isn’t here."),
    )
    similar = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        verbose_name=_("similar articles"),
        help_text=_("Up to three. If left empty, the closest ones on the same topic are shown."),
    )

    version = models.PositiveIntegerField(default=1, editable=False)
    """Grows with each change of the facts, which are the fields above."""

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        indexes = [models.Index(fields=["newsletter", "published_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "external_id"],
                condition=~Q(external_id=""),
                name="article_external_id_once",
            ),
            models.UniqueConstraint(
                fields=["issue", "position"],
                condition=Q(issue__isnull=False),
                name="one_article_per_position",
            ),
        ]

    def __str__(self) -> str:
        text = self.any_text([self.original_language])
        return str(text) if text else f"#{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Make room at its position first: if another article of the issue has it, that one and
        those after it move down. Count the change unless only some fields are named."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            self.version += 1
        with transaction.atomic():
            if ordering.make_room(self) and kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "position"}
            super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """Return the URL of the article in its original language, or the oldest it has."""
        text = self.any_text([self.original_language])
        return text.get_absolute_url() if text and text.slug else ""

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Accept a position that another article has: saving makes room."""
        super().validate_constraints(exclude={*(exclude or ()), "position"})


class ArticleTranslation(Searchable, Translation):
    """An article in one language."""

    searched_fields = frozenset({"language", "headline", "lead", "body", "authors"})

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        REVIEW = "review", _("in review")
        READY = "ready", _("ready")

    article = models.ForeignKey(Article, models.CASCADE, related_name="translations")
    headline = OneLineField(_("headline"), max_length=250, blank=True)
    slug = SlugField(
        _("slug"),
        max_length=120,
        blank=True,
        help_text=_("Made from the headline. It doesn’t change once the article is public."),
    )
    lead = LinesField(_("lead"), max_length=LONGEST_TEXT, blank=True)
    body = RichTextField(_("text"), max_length=LONGEST_BODY, blank=True)
    authors = OneLineField(
        _("authors"), max_length=300, blank=True, help_text=_("Names, separated by commas.")
    )
    alt_text = OneLineField(
        _("alt text"),
        max_length=300,
        blank=True,
        help_text=_("Describes the picture for readers who can’t see it."),
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=1, editable=False)
    """The number of the revision that says the same as this row."""
    text_revision = models.PositiveIntegerField(default=1, editable=False)
    """The revision in which headline, lead or body last changed."""
    source_revision = models.PositiveIntegerField(null=True, blank=True, editable=False)
    """The original's revision that this translation was last known to match."""
    correction = LinesField(
        _("correction"),
        max_length=LONGEST_TEXT,
        blank=True,
        help_text=_("What was corrected. Shown with the date."),
    )
    corrected_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SearchableManager.from_queryset(ArticleTranslationQuerySet)()

    class Meta:
        verbose_name = _("translation")
        permissions = [("make_ready", _("Can make texts ready, and change ready ones"))]
        constraints = [
            models.UniqueConstraint(
                fields=["article", "language"], name="article_once_per_language"
            ),
            models.UniqueConstraint(
                fields=["language", "slug"], condition=~Q(slug=""), name="article_slug_once"
            ),
        ]

    def __str__(self) -> str:
        return self.headline or str(_("no headline yet"))

    @transaction.atomic
    def save(
        self,
        *args: Any,
        by: User | None = None,
        kind: Revision.Kind = Revision.Kind.SAVED,
        **kwargs: Any,
    ) -> None:
        """Clean the body, set slug and correction date, and add a revision if anything changed.

        The revision names `by` as its author.
        """
        # Savers of one article wait for each other, so that revisions are numbered in order.
        Article.objects.select_for_update().filter(pk=self.article_id).values_list("pk").first()
        self.body = clean_html(self.body)
        at = timezone.now()
        is_changed = prepare_to_save(self, at=at, keeps_slug=kind == Revision.Kind.AUTOSAVED)
        if kwargs.get("update_fields") is not None:
            derived = {"body", "slug", "revision", "text_revision", "source_revision"}
            kwargs["update_fields"] = {*kwargs["update_fields"], *derived, "corrected_at"}
        super().save(*args, **kwargs)
        if is_changed:
            record(self, kind=kind, by=by, at=at)

    def document(self) -> Document:
        return Document(
            headline=self.headline,
            lead=f"{self.lead} {self.authors}",
            body=text_of(self.body),
            language=self.language,
        )

    def get_absolute_url(self) -> str:
        with translation.override(page_language(self.language)):
            return reverse("web:article", settings.PUBLIC_URLCONF, [self.slug])

    @property
    def is_original(self) -> bool:
        return bool(self.language == self.article.original_language)

    @property
    def is_ready(self) -> bool:
        """The same as `objects.ready()` for this row."""
        return bool(self.state == self.State.READY and self.slug)

    def is_public(self, at: datetime) -> bool:
        """The same as `objects.public(at)` for this row."""
        return self.is_ready and self.article.published_at <= at

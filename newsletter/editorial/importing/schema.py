"""The import format: a pydantic model for each object of a document.

Fields are validated in the order of their definition, and a check sees only the fields above its
own. pydantic takes several megabytes, so neither the workers nor the site may import this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Literal

from django.utils.translation import gettext_lazy as _
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from newsletter.editorial import models
from newsletter.editorial.importing import fields as f
from newsletter.editorial.importing.errors import DocumentError, Loc, nested_errors, to_problem
from newsletter.editorial.importing.files import PictureFolder
from newsletter.editorial.slugs import slug_for
from newsletter.editorial.validation import validate_languages

COMMENT = "about"
"""A comment that any object may have. It is ignored unless the object has such a field."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Status = Annotated[models.Trend.Status, f.BY_VALUE]
State = models.ArticleTranslation.State


class DocumentObject(BaseModel):
    """An object of the document. A value of null counts as missing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null_and_comment(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        fields = cls.model_fields
        return {
            name: value
            for name, value in data.items()
            if (value is not None if name in fields else name != COMMENT)
        }


class Link(DocumentObject):
    label: f.Filled
    url: Annotated[f.Filled, f.HTTPS]


class Newsroom(DocumentObject):
    name: f.ByLanguage[f.Label] = {}
    tagline: f.ByLanguage[f.Short] = {}
    about: f.ByLanguage[f.Page] = {}
    privacy: f.ByLanguage[f.Page] = {}
    accent: f.Colour | None = None
    ink: f.Colour | None = None
    postal_address: f.Line | None = None
    follow_links: list[Link] | None = None
    logo: f.LogoFile | None = None


class Choice(DocumentObject):
    label: f.Filled
    languages: Annotated[list[f.OwnLanguage], Field(min_length=1)]


class Schedule(DocumentObject):
    weekday: Weekday | None = None
    time: f.Clock | None = None
    timezone: f.Zone | None = None
    period: Annotated[models.Newsletter.Period, f.BY_VALUE] | None = None
    active: bool | None = None


class Newsletter(DocumentObject):
    slug: f.Slug
    languages: Annotated[list[f.Language], Field(min_length=1), f.checked_by(validate_languages)]
    choices: list[Choice] | None = None
    schedule: Schedule = Schedule()
    sender_address: Annotated[f.Email, Field(min_length=1)] | None = None
    reply_to: f.Email | None = None
    approval: Annotated[models.Newsletter.Approval, f.BY_VALUE] | None = None
    content: Annotated[models.Newsletter.Content, f.BY_VALUE] | None = None
    pictures: Annotated[models.Newsletter.Pictures, f.BY_VALUE] | None = None
    least_articles: Annotated[int, Field(ge=0, le=1000)] | None = None
    name: f.ByOwnLanguage[f.Label] = {}
    sender_name: f.ByOwnLanguage[f.Label] = {}
    promise: f.ByOwnLanguage[f.Line] = {}
    footer: f.ByOwnLanguage[Annotated[str, f.text(500), f.ONE_LINE]] = {}

    @field_validator("slug")
    @classmethod
    def _note_stored_categories(cls, slug: str, info: ValidationInfo) -> str:
        stored = models.Topic.objects.filter(newsletter__slug=slug)
        f.scope_of(info).categories.update(stored.values_list("slug", flat=True))
        return slug

    @field_validator("languages")
    @classmethod
    def _note_languages(cls, languages: list[str], info: ValidationInfo) -> list[str]:
        f.scope_of(info).languages = languages
        return languages


class Category(DocumentObject):
    slug: f.Slug
    name: f.ByOwnLanguage[f.Label] = {}

    @field_validator("slug")
    @classmethod
    def _note_category(cls, slug: str, info: ValidationInfo) -> str:
        f.scope_of(info).categories.add(slug)
        return slug


class Image(DocumentObject):
    file: f.PictureFile | None = None
    kind: Annotated[models.Picture.Kind, f.BY_VALUE] = models.Picture.Kind.PHOTO
    credit: f.Short | None = None
    alt: f.ByOwnLanguage[f.Line] = {}


class Translation(DocumentObject):
    """An article in one language. Its `authors` take precedence over those of the article."""

    headline: Annotated[str, f.text(250, least=1), f.ONE_LINE]
    lead: f.Prose = ""
    body: f.Html = ""
    slug: Annotated[str, f.text(120, least=1), f.ONE_LINE, f.SLUG] | None = None
    authors: f.Line | None = None
    state: Annotated[State, f.BY_VALUE] = State.READY
    correction: f.Prose = ""


class Article(DocumentObject):
    id: f.ExternalId | None = None
    category: f.CategorySlug | None = None
    trend: Status | None = None
    published_at: f.Moment | None = None
    translations: Annotated[f.ByOwnLanguage[Translation], Field(min_length=1)]
    original_language: f.Line = Field(default="", validate_default=True)
    dateline: Annotated[models.Article.Dateline, f.BY_VALUE] = models.Article.Dateline.AUTO
    authors: f.ByOwnLanguage[f.Line] = {}
    image_credit: f.Short = ""
    image: Image | None = None
    similar: list[f.Filled] = []

    @field_validator("original_language")
    @classmethod
    def _has_text(cls, code: str, info: ValidationInfo) -> str:
        """Return the given language, or the newsletter's first language that has a text."""
        texts = info.data.get("translations", {code: None})
        if code and code not in texts:
            raise ValueError(_("The article has no text in this language. Add the text."))
        return code or next(code for code in (*f.scope_of(info).languages, *texts) if code in texts)

    @property
    def key(self) -> str:
        """Return the slug in the original language. It identifies an article without an ID."""
        return self.slugs[self.original_language]

    @cached_property
    def slugs(self) -> dict[str, str]:
        """Return the slug in each language: the stated one, or that of the headline."""
        return {
            code: text.slug or slug_for(text.headline, code)
            for code, text in self.translations.items()
        }

    @property
    def states_slug(self) -> bool:
        return self.translations[self.original_language].slug is not None


class LooseArticle(Article):
    """An article outside an issue. It needs a date, because no week gives it one."""

    published_at: f.Moment


class IssueText(DocumentObject):
    subject: f.Short = ""
    preheader: f.Short = ""
    introduction: f.Html = ""


class Issue(DocumentObject):
    kind: Annotated[models.Issue.Kind, f.BY_VALUE] = models.Issue.Kind.WEEK
    starts_on: f.Day
    ends_on: f.Day | None = None
    slug: Annotated[str, f.text(50), f.ONE_LINE, f.SLUG] = ""
    approved: bool = False
    texts: f.ByOwnLanguage[IssueText] = {}
    trends: dict[f.CategorySlug, Status] = {}
    articles: list[Article] = []

    @property
    def last_day(self) -> date:
        return self.ends_on or self.starts_on + timedelta(6)

    @field_validator("starts_on", "ends_on")
    @classmethod
    def _is_whole_week(cls, day: date, info: ValidationInfo) -> date:
        is_first = info.field_name == "starts_on"
        kind, first = info.data.get("kind"), day if is_first else info.data.get("starts_on")
        if kind is None or first is None:
            return day  # the other value is invalid and already reported
        if day < first:
            raise ValueError(_("is before the first day."))
        if kind == models.Issue.Kind.SPECIAL:
            return day
        if day.weekday() != (0 if is_first else 6):
            raise ValueError(_("A week runs from Monday to Sunday."))
        if kind == models.Issue.Kind.WEEK and not is_first and (day - first).days != 6:
            raise ValueError(_("is not the Sunday of the same week."))
        return day

    @field_validator("articles")
    @classmethod
    def _check_consistency(cls, articles: list[Article], info: ValidationInfo) -> list[Article]:
        """Refuse different trends for the same category."""
        errors: list[tuple[Loc, object]] = []
        trends = dict(info.data.get("trends", {}))
        for number, article in enumerate(articles):
            trend = article.trend
            if trend and not article.category:
                errors.append(((number, "category"), _("is missing. Add it.")))
            elif trend and trends.setdefault(article.category, trend) != trend:
                reason = _("Another trend is stated for this category and week. Keep one.")
                errors.append(((number, "trend"), reason))
        if errors:
            raise nested_errors(errors)
        return articles

    def all_trends(self) -> dict[str, str]:
        """Return the trends by category, from the issue and its articles."""
        return {**self.trends, **{str(a.category): a.trend for a in self.articles if a.trend}}


class Document(DocumentObject):
    newsletter: Newsletter
    newsroom: Newsroom = Newsroom()
    categories: list[Category] = []
    issues: list[Issue] = []
    articles: list[LooseArticle] = []

    def located_articles(self) -> Iterator[tuple[str, Article]]:
        """Yield each article with its location, the articles outside issues first."""
        for index, article in enumerate(self.articles):
            yield f"articles[{index}]", article
        for number, issue in enumerate(self.issues):
            for index, each in enumerate(issue.articles):
                yield f"issues[{number}].articles[{index}]", each


def validated(data: object, pictures: PictureFolder) -> Document:
    """Validate a document, and store its pictures.

    Raises DocumentError with all problems. The articles of an issue are compared with each other
    only if each of them is valid.
    """
    try:
        return Document.model_validate(data, context=f.Scope(pictures))
    except ValidationError as error:
        raise DocumentError(*map(to_problem, error.errors(include_url=False))) from None

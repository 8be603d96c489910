"""The input and output of a digest, as frozen values without models or I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Status = Literal["improved", "unchanged", "worsened"]
Length = Literal["lead", "full"]
Pictures = Literal["none", "embedded", "linked"]
Period = Literal["week", "month"]


# --- Input ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Credit:
    kind: Literal["photo", "image", "graphic"]
    name: str


@dataclass(frozen=True)
class Picture:
    """`name` is the file's name in the media storage, or "" if there is only a credit.

    `source` is the name of the file that this one is a copy of.
    """

    name: str
    url: str
    width: int
    height: int
    type: str
    credit: Credit | None = None
    source: str = ""


@dataclass(frozen=True)
class ImageFile:
    """A picture's file, or one of its copies: `name` in the media storage, and size in pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True)
class Topic:
    id: int
    names: Mapping[str, str]


@dataclass(frozen=True)
class ArticleText:
    """An article in one language: `lead` is plain text, `body` clean HTML, and `url` absolute."""

    headline: str
    lead: str
    body: str
    url: str
    authors: str = ""
    alt_text: str = ""
    revision: int = 0
    """The revision that says this, so that it can be marked as sent."""
    pictures: Mapping[str, ImageFile] = field(default_factory=dict)
    """The copies for emails of pictures inside texts, by the name of the file that a text names."""


@dataclass(frozen=True)
class Article:
    """An article with its ready `texts` by language."""

    id: int
    texts: Mapping[str, ArticleText]
    topic: Topic | None = None
    status: Status | None = None
    picture: Picture | None = None
    published_at: datetime | None = None
    week: tuple[date, date] | None = None
    """First and last day of the article's issue, in a digest that covers several issues."""


@dataclass(frozen=True)
class IssueText:
    """An issue's own texts in one language; `introduction` is clean HTML."""

    subject: str = ""
    preheader: str = ""
    introduction: str = ""
    pictures: Mapping[str, ImageFile] = field(default_factory=dict)
    """The copies for emails of pictures inside texts."""


@dataclass(frozen=True)
class Issue:
    """An issue, or a month's round-up of several. Both days are inclusive."""

    starts_on: date
    ends_on: date
    articles: tuple[Article, ...]
    """In the editors' order."""
    texts: Mapping[str, IssueText] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    """Absolute URLs of the issue's page, by language."""
    period: Period = "week"


@dataclass(frozen=True)
class Branding:
    """A newsletter's names and fixed texts in one language."""

    newsroom: str
    newsletter: str
    sender_name: str
    footer: str = ""
    postal_address: str = ""


@dataclass(frozen=True)
class Newsletter:
    slug: str
    languages: tuple[str, ...]
    branding_by_language: Mapping[str, Branding]
    site_url: str
    accent: str = "#8a1c1c"
    logo: Picture | None = None


@dataclass(frozen=True)
class EditionOptions:
    """What a group of readers chose, with the newsletter's defaults filled in."""

    chain: tuple[str, ...]
    """The readers' languages, preferred language first."""
    page_language: str
    """The language of the labels around the articles."""
    topics: frozenset[int] | None = None
    """IDs, or None for all topics."""
    length: Length = "lead"
    pictures: Pictures = "embedded"
    plain_text: bool = False
    discreet: bool = False


# --- Intermediate -----------------------------------------------------------------------------
@dataclass(frozen=True)
class SelectedArticle:
    """An article and the language in which it is shown."""

    article: Article
    language: str
    is_fallback: bool
    """Whether the language isn't the readers' first, so that a label has to name it."""
    headline_only: bool = False
    """Whether the article is past the last one of a round-up that shows its lead."""

    @property
    def text(self) -> ArticleText:
        return self.article.texts[self.language]


@dataclass(frozen=True)
class Selection:
    """What a group of readers gets."""

    options: EditionOptions
    language: str
    """The language of the labels around the articles."""
    articles: tuple[SelectedArticle, ...]
    unavailable: tuple[SelectedArticle, ...]
    """Articles in none of the readers' languages, each in its own first language."""
    introduction_language: str
    """The page's language or else the first of the readers' languages that has an introduction;
    "" if none has."""
    key: str
    """A hash of everything that the edition depends on. Equal keys share one edition."""


# --- Output -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class InlineImage:
    """A picture inside the email: `cid` without brackets, `name` in the media storage."""

    cid: str
    name: str
    type: str


@dataclass(frozen=True)
class RenderedEmail:
    """An email that is complete apart from its placeholders (newsletter.lib.placeholders)."""

    language: str
    label: str
    subject: str
    preheader: str
    html: str
    text: str
    images: tuple[InlineImage, ...] = ()


class RenderError(Exception):
    """An email must not be sent. The message tells editors why."""

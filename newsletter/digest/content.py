"""What goes into a digest and what comes out: frozen values, no models, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Status = Literal["improved", "unchanged", "worsened"]
Length = Literal["lead", "complete"]
Pictures = Literal["none", "embedded", "linked"]
Period = Literal["week", "month"]


# --- In ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Credit:
    kind: Literal["photo", "image", "graphic"]
    name: str


@dataclass(frozen=True)
class Picture:
    """`name` is the file's in the media storage, "" where there is only a credit."""

    name: str
    url: str
    width: int
    height: int
    type: str
    credit: Credit | None = None


@dataclass(frozen=True)
class Topic:
    id: int
    names: Mapping[str, str]


@dataclass(frozen=True)
class ArticleText:
    """An article in one language. `lead` is plain text; `body` is HTML that was cleaned; `url`
    is absolute."""

    headline: str
    lead: str
    body: str
    url: str
    authors: str = ""
    alt_text: str = ""


@dataclass(frozen=True)
class Article:
    """`texts` holds only the languages that are ready."""

    id: int
    texts: Mapping[str, ArticleText]
    topic: Topic | None = None
    status: Status | None = None
    picture: Picture | None = None
    published_at: datetime | None = None
    week: tuple[date, date] | None = None
    """The days of its issue, named where a digest holds several."""


@dataclass(frozen=True)
class IssueText:
    subject: str = ""
    preheader: str = ""
    introduction: str = ""
    """Clean HTML."""


@dataclass(frozen=True)
class Issue:
    """`starts_on` and `ends_on` are both inside. `articles` are in the editors' order."""

    starts_on: date
    ends_on: date
    articles: tuple[Article, ...]
    texts: Mapping[str, IssueText] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    """Its page, absolute, in each language of the newsletter."""
    period: Period = "week"
    """A month is a round-up: the articles of its issues, from the first day to the last."""


@dataclass(frozen=True)
class Branding:
    """The newsletter's wording in one language."""

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
    """What a group of readers asked for, with the newsletter's defaults filled in.

    `chain` is the readers' languages in order; `page_language` that of the words around the
    articles; `topics` None for all.
    """

    chain: tuple[str, ...]
    page_language: str
    topics: frozenset[int] | None = None
    length: Length = "lead"
    pictures: Pictures = "embedded"
    plain_text: bool = False
    discreet: bool = False


# --- Between ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class SelectedArticle:
    """An article in the language it is shown in."""

    article: Article
    language: str
    is_fallback: bool
    """Whether the language is not the first of the chain, and so is labelled."""
    is_brief: bool = False
    """Whether the headline stands for the whole: a round-up's last ones."""

    @property
    def text(self) -> ArticleText:
        return self.article.texts[self.language]


@dataclass(frozen=True)
class Selection:
    """What a group of readers gets: articles to read, and those named in one line."""

    options: EditionOptions
    language: str
    """That of the words around the articles."""
    entries: tuple[SelectedArticle, ...]
    unavailable: tuple[SelectedArticle, ...]
    """In none of the readers' languages; `language` is the article's first."""
    introduction: str
    """The language of the issue's introduction: the page's or else the first of the readers'
    that has one; "" without any."""
    key: str
    """Hash of all that the edition depends on; equal keys share one edition."""


# --- Out --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class InlineImage:
    """A picture inside the mail: `cid` without brackets, `name` in the media storage."""

    cid: str
    name: str
    type: str


@dataclass(frozen=True)
class RenderedEmail:
    """An edition: complete but for its places (newsletter.lib.placeholders)."""

    language: str
    label: str
    subject: str
    preheader: str
    html: str
    text: str
    images: tuple[InlineImage, ...] = ()


class RenderError(Exception):
    """An edition that must not go out; the text says why, for editors."""

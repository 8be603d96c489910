"""A document of issues, read into values. Nothing is stored here; a fault names its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.importing.faults import Node
from newsletter.editorial.models import Article, ArticleTranslation, Issue, Picture, Trend
from newsletter.editorial.slugs import slug_for

STATUSES = list(Trend.Status.values)


@dataclass(frozen=True)
class TextData:
    headline: str
    lead: str
    body: str
    slug: str
    authors: str
    state: str
    correction: str
    picture_text: str
    wants_slug: bool


@dataclass(frozen=True)
class ImageData:
    credit: str
    kind: str = Picture.Kind.PHOTO
    file: Node | None = None


@dataclass(frozen=True)
class ArticleData:
    """`key` is the slug of the headline in the original language: by it the article is known."""

    place: str
    key: str
    original_language: str
    published_at: datetime
    texts: dict[str, TextData]
    category: str = ""
    dateline: str = Article.Dateline.AUTO
    image: ImageData | None = None
    similar: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class IssueData:
    place: str
    kind: str
    starts_on: date
    ends_on: date
    slug: str
    approved: bool
    articles: tuple[ArticleData, ...]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    trends: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What the newsletter says of everything below it."""

    languages: tuple[str, ...]
    zone: ZoneInfo
    categories: frozenset[str]


def read_issue(node: Node, scope: Scope) -> IssueData:
    node.only("starts_on", "ends_on", "articles", "kind", "slug", "approved", "texts", "trends")
    starts_on = node["starts_on"].date()
    kind = node.child("kind", Issue.Kind.WEEK).one_of(list(Issue.Kind.values))
    ends_on = node["ends_on"].date() if "ends_on" in node else starts_on + timedelta(6)
    _check_days(node, kind, starts_on, ends_on)
    is_special = kind == Issue.Kind.SPECIAL
    articles = tuple(
        read_article(child, scope, published=_morning_after(ends_on, scope))
        for child in node.child("articles", []).items()
    )
    _check_no_twin(articles)
    return IssueData(
        place=node.place,
        kind=kind,
        starts_on=starts_on,
        ends_on=ends_on,
        slug=node["slug"].slug() if is_special else "",
        approved="approved" in node and node["approved"].truth(),
        articles=articles,
        texts={
            code: _issue_text(text)
            for code, text in node.child("texts", {}).by_language(scope.languages)
        },
        trends=_trends(node, scope),
    )


def _check_days(node: Node, kind: str, starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise node["ends_on"].fault(_("is before the first day."))
    if kind != Issue.Kind.SPECIAL and (starts_on.weekday(), ends_on.weekday()) != (0, 6):
        wrong = "starts_on" if starts_on.weekday() else "ends_on"
        raise node[wrong].fault(_("A week runs from Monday to Sunday."))
    if kind == Issue.Kind.WEEK and (ends_on - starts_on).days != 6:
        raise node["ends_on"].fault(_("is not the Sunday of the same week."))


def _check_no_twin(articles: tuple[ArticleData, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for article in articles:
        if (known := (article.original_language, article.key)) in seen:
            place = f"{article.place}.translations.{article.original_language}.headline"
            raise Node(None, place).fault(_("There is an article of this headline already."))
        seen.add(known)


def _morning_after(day: date, scope: Scope) -> datetime:
    """When an article without a date of its own is taken to be published: always the same."""
    return datetime.combine(day + timedelta(1), time(9), scope.zone).astimezone(UTC)


def _issue_text(node: Node) -> dict[str, str]:
    node.only("subject", "preheader", "introduction")
    return {
        "subject": node.child("subject", "").text(longest=200),
        "preheader": node.child("preheader", "").text(longest=200),
        "introduction": clean_html(node.child("introduction", "").text()),
    }


def _trends(node: Node, scope: Scope) -> dict[str, str]:
    """By topic: what the issue states, and what its articles state of theirs."""
    trends: dict[str, str] = {}
    stated = node.child("trends", {}).only(*scope.categories)
    for slug in stated.value:
        if slug in scope.categories and slug in stated:
            trends[slug] = stated[slug].one_of(STATUSES)
    for article in node.child("articles", []).items():
        if "trend" not in article:
            continue
        trend, slug = article["trend"], article["category"].text()
        status = trend.one_of(STATUSES)
        if trends.setdefault(slug, status) != status:
            raise trend.fault(_("Another trend is stated for this topic and week."))
    return trends


def read_article(node: Node, scope: Scope, *, published: datetime | None) -> ArticleData:
    """`published` is when it is taken to be published where it does not say so."""
    node.only(
        "category",
        "trend",
        "published_at",
        "image_credit",
        "image",
        "translations",
        "dateline",
        "authors",
        "original_language",
        "similar",
    )
    category = _category(node, scope)
    texts = _texts(node, scope)
    first = next(code for code in scope.languages if code in texts)
    original = node.child("original_language", first).text()
    if original not in texts:
        raise node["original_language"].fault(_("The article has no text in this language."))
    return ArticleData(
        place=node.place,
        key=texts[original].slug,
        original_language=original,
        published_at=_published(node, scope)
        if published is None or "published_at" in node
        else published,
        texts=texts,
        category=category,
        dateline=node.child("dateline", Article.Dateline.AUTO).one_of(
            list(Article.Dateline.values)
        ),
        image=_image(node),
        similar=tuple(
            (child.place, child.text(required=True)) for child in node.child("similar", []).items()
        ),
    )


def _category(node: Node, scope: Scope) -> str:
    if "category" not in node:
        return ""
    slug = node["category"].text()
    if slug not in scope.categories:
        raise node["category"].fault(_("There is no category of this short name."))
    return slug


def _published(node: Node, scope: Scope) -> datetime:
    moment = node["published_at"].moment()
    return moment if moment.tzinfo else moment.replace(tzinfo=scope.zone)


def _texts(node: Node, scope: Scope) -> dict[str, TextData]:
    authors = node.texts("authors", longest=300, allowed=scope.languages)
    image = node.child("image", {})
    words = image.texts("alt", longest=300, allowed=scope.languages) if image.value else {}
    translations = node["translations"]
    texts = {
        code: _text(child, code, authors.get(code, ""), words.get(code, ""))
        for code, child in translations.by_language(scope.languages)
    }
    if not texts:
        raise translations.fault(_("The article has no text in any language."))
    return texts


def _text(node: Node, language: str, authors: str, words: str) -> TextData:
    node.only("headline", "lead", "body", "slug", "authors", "state", "correction")
    headline = node["headline"].text(longest=250, required=True)
    has_slug = "slug" in node
    return TextData(
        headline=headline,
        lead=node.child("lead", "").text(),
        body=clean_html(node.child("body", "").text()),
        slug=node["slug"].slug(longest=100) if has_slug else slug_for(headline, language),
        authors=node.child("authors", authors).text(longest=300),
        state=node.child("state", ArticleTranslation.State.READY).one_of(
            list(ArticleTranslation.State.values)
        ),
        correction=node.child("correction", "").text(),
        picture_text=words,
        wants_slug=has_slug,
    )


def _image(node: Node) -> ImageData | None:
    if "image" not in node:
        credit = node.child("image_credit", "").text(longest=200)
        return ImageData(credit) if credit else None
    image = node["image"].only("file", "kind", "credit", "alt")
    return ImageData(
        credit=image.child("credit", node.child("image_credit", "").value).text(longest=200),
        kind=image.child("kind", Picture.Kind.PHOTO).one_of(list(Picture.Kind.values)),
        file=image["file"] if "file" in image else None,  # noqa: SIM401 (a Node has no get)
    )

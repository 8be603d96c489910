"""An entry as a mail shows it: every word chosen, so that HTML and text only lay it out (A12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newsletter.digest import labels
from newsletter.digest.content import (
    InlineImage,
    Length,
    Newsletter,
    Period,
    Picture,
    Pictures,
    SelectedArticle,
    Selection,
    Status,
)
from newsletter.digest.dates import week_range
from newsletter.digest.fragments import as_text, excerpt, for_email, paragraph_text
from newsletter.digest.languages import pick
from newsletter.digest.mjml import FragmentMarkers
from newsletter.digest.topics import names_topic
from newsletter.lib.languages import direction

TEXT_WIDTH = 552
"""Of the column, in CSS pixels."""
LOGO_HEIGHT = 44
_SIGNS: dict[Status, str] = {"improved": "▲", "unchanged": "■", "worsened": "▼"}


@dataclass(frozen=True)
class PictureView:
    """`source` is a URL or "cid:…"; `width` in CSS pixels; `alt` a mark in the MJML."""

    source: str
    width: int
    alt: str


@dataclass(frozen=True)
class ArticleView:
    """What both parts of a mail lay out. `side` is where the text begins; `body` is HTML, ""
    where only the lead is shown, and `body_slot` its mark in the MJML; `label` names a fallback's
    language, else ""; `week` the article's, where the digest holds several."""

    language: str
    direction: str
    side: str
    week: str
    topic: str
    status: Status | None
    sign: str
    status_words: str
    label: str
    headline: str
    url: str
    picture: PictureView | None
    credit: str
    byline: str
    lead: str
    body: str
    body_text: str
    body_placeholder: str
    read_more: str

    @property
    def closing(self) -> tuple[str, ...]:
        """What stands below the text: who wrote it, and the credit of a picture not shown."""
        return tuple(filter(None, (self.byline, "" if self.picture else self.credit)))


@dataclass(frozen=True)
class UnavailableView:
    """The articles of one language in the line "Also this week, in English: …"."""

    words: str
    language: str
    direction: str
    entries: tuple[SelectedArticle, ...]


@dataclass(frozen=True)
class HeadlineView:
    """A headline in the line "Also this month: …"."""

    language: str
    direction: str
    headline: str
    url: str


def article_view(
    entry: SelectedArticle,
    selection: Selection,
    newsletter: Newsletter,
    placeholders: FragmentMarkers,
    *,
    today: date,
) -> ArticleView:
    """The entry in its own language; only its label is in that of the page."""
    language, text, article = entry.language, entry.text, entry.article
    body = _body(entry, selection.options.length, newsletter.site_url)
    return ArticleView(
        language=language,
        direction=direction(language),
        side=text_alignment(language),
        week=week_range(*article.week, language, today=today) if article.week else "",
        topic=_topic(entry, selection.language),
        status=article.status,
        sign=_SIGNS[article.status] if article.status else "",
        status_words=labels.status_label(article.status, language) if article.status else "",
        label=labels.language_label(language, selection.language) if entry.is_fallback else "",
        headline=text.headline,
        url=text.url,
        picture=picture_view(entry, selection, placeholders),
        credit=_credit(entry, _wanted(selection)),
        byline=labels.byline(text.authors, language) if text.authors else "",
        lead=_lead(entry, body, newsletter.site_url),
        body=body,
        body_text=as_text(body) if body else "",
        body_placeholder=placeholders.html(body),
        read_more="" if body else labels.read_more(language),
    )


def text_alignment(language: str) -> str:
    """Where its text begins: Outlook aligns by this, not by `dir`."""
    return "right" if direction(language) == "rtl" else "left"


def unavailable_views(selection: Selection, *, period: Period) -> tuple[UnavailableView, ...]:
    """What the readers cannot read in their languages, by language, in order of appearance."""
    languages = dict.fromkeys(entry.language for entry in selection.unavailable)
    return tuple(
        UnavailableView(
            words=labels.unavailable_label(language, selection.language, period=period),
            language=language,
            direction=direction(language),
            entries=tuple(each for each in selection.unavailable if each.language == language),
        )
        for language in languages
    )


def headline_views(selection: Selection) -> tuple[HeadlineView, ...]:
    """What of a round-up is named by its headline alone."""
    return tuple(
        HeadlineView(entry.language, direction(entry.language), entry.text.headline, entry.text.url)
        for entry in selection.entries
        if entry.is_brief
    )


def picture_view(
    entry: SelectedArticle, selection: Selection, placeholders: FragmentMarkers
) -> PictureView | None:
    """The article's picture, where it has a file and the readers want pictures."""
    picture, pictures = entry.article.picture, _wanted(selection)
    if picture is None or not picture.name or pictures == "none":
        return None
    return PictureView(
        source=_source(picture, pictures, f"picture-{entry.article.id}"),
        width=min(picture.width or TEXT_WIDTH, TEXT_WIDTH),
        alt=placeholders.text(entry.text.alt_text),
    )


def logo_view(newsletter: Newsletter, selection: Selection) -> PictureView | None:
    """The logo beside the newsletter's name, which says the same: so it needs no words."""
    logo, pictures = newsletter.logo, _wanted(selection)
    if logo is None or not logo.name or pictures == "none":
        return None
    width = round(logo.width * min(1, LOGO_HEIGHT / logo.height)) if logo.height else LOGO_HEIGHT
    return PictureView(_source(logo, pictures, "logo"), min(width, TEXT_WIDTH), alt="")


def inline_images(newsletter: Newsletter, selection: Selection) -> tuple[InlineImage, ...]:
    """The pictures that travel inside the mail."""
    if _wanted(selection) != "embedded":
        return ()
    pictures = {f"picture-{each.article.id}": each.article.picture for each in selection.entries}
    return tuple(
        InlineImage(cid=_content_id(key), name=picture.name, type=picture.type)
        for key, picture in {"logo": newsletter.logo, **pictures}.items()
        if picture and picture.name
    )


def _source(picture: Picture, pictures: Pictures, key: str) -> str:
    return picture.url if pictures == "linked" else f"cid:{_content_id(key)}"


def _content_id(key: str) -> str:
    """A Content-ID has the form of an address (RFC 2392), but names nobody."""
    return f"{key}@digest.invalid"


def _wanted(selection: Selection) -> Pictures:
    return "none" if selection.options.plain_text else selection.options.pictures


def _topic(entry: SelectedArticle, page_language: str) -> str:
    """The topic's name; "" where the headline begins with it."""
    topic = entry.article.topic
    if topic is None:
        return ""
    language = pick((entry.language, page_language, *topic.names), topic.names)
    name = topic.names[language] if language else ""
    return "" if names_topic(entry.text.headline, name) else name


def _credit(entry: SelectedArticle, pictures: Pictures) -> str:
    """Of a picture that is shown, or of one that never had a file here."""
    picture = entry.article.picture
    if picture is None or picture.credit is None or (picture.name and pictures == "none"):
        return ""
    return labels.credit_line(picture.credit, entry.language)


def _body(entry: SelectedArticle, length: Length, site_url: str) -> str:
    return for_email(entry.text.body, site_url=site_url) if length == "complete" else ""


def _lead(entry: SelectedArticle, body: str, site_url: str) -> str:
    """The lead; where there is none, the beginning of a text that is not shown."""
    lead = entry.text.lead.strip()
    if lead or body:
        return lead
    return excerpt(
        paragraph_text(for_email(entry.text.body, site_url=site_url)), least=200, most=320
    )

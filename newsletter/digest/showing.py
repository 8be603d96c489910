"""An entry as a mail shows it: every word chosen, so that HTML and text only lay it out (A12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newsletter.digest import wording
from newsletter.digest.content import (
    Amount,
    Entry,
    InlineImage,
    Newsletter,
    Period,
    Picture,
    Pictures,
    Selection,
    Status,
)
from newsletter.digest.dates import week_range
from newsletter.digest.fragments import as_text, excerpt, for_mail, words_alone
from newsletter.digest.languages import pick
from newsletter.digest.mjml import Slots
from newsletter.digest.topics import names_topic
from newsletter.lib.languages import direction

TEXT_WIDTH = 552
"""Of the column, in CSS pixels."""
LOGO_HEIGHT = 44
_SIGNS: dict[Status, str] = {"improved": "▲", "unchanged": "■", "worsened": "▼"}


@dataclass(frozen=True)
class ShownPicture:
    """`source` is a URL or "cid:…"; `width` in CSS pixels; `alt` a mark in the MJML."""

    source: str
    width: int
    alt: str


@dataclass(frozen=True)
class Shown:
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
    picture: ShownPicture | None
    credit: str
    byline: str
    lead: str
    body: str
    body_text: str
    body_slot: str
    read_more: str

    @property
    def closing(self) -> tuple[str, ...]:
        """What stands below the text: who wrote it, and the credit of a picture not shown."""
        return tuple(filter(None, (self.byline, "" if self.picture else self.credit)))


@dataclass(frozen=True)
class Elsewhere:
    """The articles of one language in the line "Also this week, in English: …"."""

    words: str
    language: str
    direction: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class More:
    """A headline in the line "Also this month: …"."""

    language: str
    direction: str
    headline: str
    url: str


def show(
    entry: Entry, selection: Selection, newsletter: Newsletter, slots: Slots, *, today: date
) -> Shown:
    """The entry in its own language; only its label is in that of the page."""
    language, text, article = entry.language, entry.text, entry.article
    body = _body(entry, selection.wants.amount, newsletter.site_url)
    return Shown(
        language=language,
        direction=direction(language),
        side=side(language),
        week=week_range(*article.week, language, today=today) if article.week else "",
        topic=_topic(entry, selection.language),
        status=article.status,
        sign=_SIGNS[article.status] if article.status else "",
        status_words=wording.status_words(article.status, language) if article.status else "",
        label=wording.language_label(language, selection.language) if entry.is_fallback else "",
        headline=text.headline,
        url=text.url,
        picture=shown_picture(entry, selection, slots),
        credit=_credit(entry, _wanted(selection)),
        byline=wording.byline(text.authors, language) if text.authors else "",
        lead=_lead(entry, body, newsletter.site_url),
        body=body,
        body_text=as_text(body) if body else "",
        body_slot=slots.html(body),
        read_more="" if body else wording.read_more(language),
    )


def side(language: str) -> str:
    """Where its text begins: Outlook aligns by this, not by `dir`."""
    return "right" if direction(language) == "rtl" else "left"


def show_elsewhere(selection: Selection, *, period: Period) -> tuple[Elsewhere, ...]:
    """What the readers cannot read in their languages, by language, in order of appearance."""
    languages = dict.fromkeys(entry.language for entry in selection.elsewhere)
    return tuple(
        Elsewhere(
            words=wording.also(language, selection.language, period=period),
            language=language,
            direction=direction(language),
            entries=tuple(each for each in selection.elsewhere if each.language == language),
        )
        for language in languages
    )


def show_more(selection: Selection) -> tuple[More, ...]:
    """What of a round-up is named by its headline alone."""
    return tuple(
        More(entry.language, direction(entry.language), entry.text.headline, entry.text.url)
        for entry in selection.entries
        if entry.is_brief
    )


def shown_picture(entry: Entry, selection: Selection, slots: Slots) -> ShownPicture | None:
    """The article's picture, where it has a file and the readers want pictures."""
    picture, pictures = entry.article.picture, _wanted(selection)
    if picture is None or not picture.name or pictures == "none":
        return None
    return ShownPicture(
        source=_source(picture, pictures, f"picture-{entry.article.id}"),
        width=min(picture.width or TEXT_WIDTH, TEXT_WIDTH),
        alt=slots.text(entry.text.picture_text),
    )


def shown_logo(newsletter: Newsletter, selection: Selection) -> ShownPicture | None:
    """The logo beside the newsletter's name, which says the same: so it needs no words."""
    logo, pictures = newsletter.logo, _wanted(selection)
    if logo is None or not logo.name or pictures == "none":
        return None
    width = round(logo.width * min(1, LOGO_HEIGHT / logo.height)) if logo.height else LOGO_HEIGHT
    return ShownPicture(_source(logo, pictures, "logo"), min(width, TEXT_WIDTH), alt="")


def images(newsletter: Newsletter, selection: Selection) -> tuple[InlineImage, ...]:
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
    return "none" if selection.wants.plain_text else selection.wants.pictures


def _topic(entry: Entry, page_language: str) -> str:
    """The topic's name; "" where the headline begins with it."""
    topic = entry.article.topic
    if topic is None:
        return ""
    language = pick((entry.language, page_language, *topic.names), topic.names)
    name = topic.names[language] if language else ""
    return "" if names_topic(entry.text.headline, name) else name


def _credit(entry: Entry, pictures: Pictures) -> str:
    """Of a picture that is shown, or of one that never had a file here."""
    picture = entry.article.picture
    if picture is None or picture.credit is None or (picture.name and pictures == "none"):
        return ""
    return wording.credit_line(picture.credit, entry.language)


def _body(entry: Entry, amount: Amount, site_url: str) -> str:
    return for_mail(entry.text.body, site_url=site_url) if amount == "complete" else ""


def _lead(entry: Entry, body: str, site_url: str) -> str:
    """The lead; where there is none, the beginning of a text that is not shown."""
    lead = entry.text.lead.strip()
    if lead or body:
        return lead
    return excerpt(words_alone(for_mail(entry.text.body, site_url=site_url)), least=200, most=320)

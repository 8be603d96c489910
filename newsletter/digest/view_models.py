"""Articles as both parts of an email show them, so that templates only lay them out (A12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newsletter.digest import labels
from newsletter.digest.content import (
    InlineImage,
    IssueText,
    Newsletter,
    Period,
    Picture,
    Pictures,
    SelectedArticle,
    Selection,
    Status,
)
from newsletter.digest.dates import week_range
from newsletter.digest.fragments import excerpt
from newsletter.digest.languages import pick
from newsletter.digest.mjml import FragmentMarkers
from newsletter.digest.rich_text.email import TEXT_WIDTH, embedded_pictures, for_email
from newsletter.digest.rich_text.text import as_text, paragraph_text
from newsletter.digest.topics import names_topic
from newsletter.lib.languages import direction

LOGO_HEIGHT = 44
_STATUS_MARKS: dict[Status, str] = {"improved": "▲", "unchanged": "■", "worsened": "▼"}


@dataclass(frozen=True)
class PictureView:
    """`source` is a URL or "cid:…", `width` in CSS pixels, and `alt` a marker in the MJML."""

    source: str
    width: int
    alt: str


@dataclass(frozen=True)
class ArticleView:
    """An article in one language. Parts that aren't shown are ""."""

    language: str
    direction: str
    alignment: str
    week: str
    """The article's week, in a digest that covers several."""
    topic: str
    status: Status | None
    status_mark: str
    status_label: str
    language_label: str
    """The name of the article's language, in the reader's, if it is a fallback."""
    headline: str
    url: str
    picture: PictureView | None
    credit: str
    byline: str
    lead: str
    body: str
    """Clean HTML, or "" if only the lead is shown."""
    body_text: str
    body_marker: str
    read_more: str
    read_more_label: str
    """A marker for `read_more` with the headline, for screen readers (A13)."""

    @property
    def small_print(self) -> tuple[str, ...]:
        """Return the lines below the text: the byline, and the credit of a hidden picture."""
        return tuple(filter(None, (self.byline, "" if self.picture else self.credit)))


@dataclass(frozen=True)
class UnavailableView:
    """The line "Also this week, in English: …" with its articles."""

    label: str
    language: str
    direction: str
    articles: tuple[SelectedArticle, ...]


@dataclass(frozen=True)
class HeadlineView:
    """A headline in the line "Also this month: …"."""

    language: str
    direction: str
    headline: str
    url: str


def article_view(
    selected: SelectedArticle,
    selection: Selection,
    newsletter: Newsletter,
    markers: FragmentMarkers,
    *,
    today: date,
) -> ArticleView:
    """Return the article in its own language; only `language_label` is in the page's language."""
    language, text, article = selected.language, selected.text, selected.article
    body = _body(selected, selection, newsletter.site_url)
    read_more = "" if body else labels.read_more(language)
    return ArticleView(
        language=language,
        direction=direction(language),
        alignment=text_alignment(language),
        week=week_range(*article.week, language, today=today) if article.week else "",
        topic=_topic(selected, selection.language),
        status=article.status,
        status_mark=_STATUS_MARKS[article.status] if article.status else "",
        status_label=labels.status_label(article.status, language) if article.status else "",
        language_label=labels.language_label(language, selection.language)
        if selected.is_fallback
        else "",
        headline=text.headline,
        url=text.url,
        picture=picture_view(selected, selection, markers),
        credit=_credit(selected, pictures_option(selection)),
        byline=labels.byline(text.authors, language) if text.authors else "",
        lead=_lead(selected, body),
        body=body,
        body_text=_body_text(selected, newsletter.site_url) if body else "",
        body_marker=markers.html(body),
        read_more=read_more,
        read_more_label=markers.text(f"{read_more}: {text.headline}"),
    )


def text_alignment(language: str) -> str:
    """Return the side where text starts. Outlook ignores `dir` and aligns by this."""
    return "right" if direction(language) == "rtl" else "left"


def unavailable_views(selection: Selection, *, period: Period) -> tuple[UnavailableView, ...]:
    """Return a line for each language of the unavailable articles, in order of appearance."""
    languages = dict.fromkeys(selected.language for selected in selection.unavailable)
    return tuple(
        UnavailableView(
            label=labels.unavailable_label(language, selection.language, period=period),
            language=language,
            direction=direction(language),
            articles=tuple(each for each in selection.unavailable if each.language == language),
        )
        for language in languages
    )


def headline_views(selection: Selection) -> tuple[HeadlineView, ...]:
    """Return the articles of a round-up that show only their headline."""
    return tuple(
        HeadlineView(
            selected.language,
            direction(selected.language),
            selected.text.headline,
            selected.text.url,
        )
        for selected in selection.articles
        if selected.headline_only
    )


def picture_view(
    selected: SelectedArticle, selection: Selection, markers: FragmentMarkers
) -> PictureView | None:
    """Return the article's picture, if it has a file and the readers want pictures."""
    picture, pictures = selected.article.picture, pictures_option(selection)
    if picture is None or not picture.name or pictures == "none":
        return None
    return PictureView(
        source=_source(picture, pictures, f"picture-{selected.article.id}"),
        width=min(picture.width or TEXT_WIDTH, TEXT_WIDTH),
        alt=markers.text(selected.text.alt_text),
    )


def logo_view(newsletter: Newsletter, selection: Selection) -> PictureView | None:
    """Return the logo. Its alt text is empty, because the newsletter's name stands below it."""
    logo, pictures = newsletter.logo, pictures_option(selection)
    if logo is None or not logo.name or pictures == "none":
        return None
    width = round(logo.width * min(1, LOGO_HEIGHT / logo.height)) if logo.height else LOGO_HEIGHT
    return PictureView(_source(logo, pictures, "logo"), min(width, TEXT_WIDTH), alt="")


def inline_images(
    newsletter: Newsletter, selection: Selection, introduction: IssueText
) -> tuple[InlineImage, ...]:
    """Return the pictures to attach to the email, those inside the texts included."""
    if pictures_option(selection) != "embedded":
        return ()
    pictures = {f"picture-{each.article.id}": each.article.picture for each in selection.articles}
    around_texts = [
        InlineImage(cid=_content_id(key), name=picture.name, type=picture.type)
        for key, picture in {"logo": newsletter.logo, **pictures}.items()
        if picture and picture.name
    ]
    in_texts = embedded_pictures(introduction.introduction, introduction.pictures)
    if selection.options.length == "full":
        for each in selection.articles:
            if not each.headline_only:
                in_texts += embedded_pictures(each.text.body, each.text.pictures)
    return tuple(dict.fromkeys([*around_texts, *in_texts]))


def _source(picture: Picture, pictures: Pictures, key: str) -> str:
    return picture.url if pictures == "linked" else f"cid:{_content_id(key)}"


def _content_id(key: str) -> str:
    """Return a Content-ID, which has the form of an email address (RFC 2392)."""
    return f"{key}@digest.invalid"


def pictures_option(selection: Selection) -> Pictures:
    return "none" if selection.options.plain_text else selection.options.pictures


def _topic(selected: SelectedArticle, page_language: str) -> str:
    """Return the topic's name, or "" if the headline starts with it."""
    topic = selected.article.topic
    if topic is None:
        return ""
    language = pick((selected.language, page_language, *topic.names), topic.names)
    name = topic.names[language] if language else ""
    return "" if names_topic(selected.text.headline, name) else name


def _credit(selected: SelectedArticle, pictures: Pictures) -> str:
    """Return the credit of a picture that is shown, or that never had a file."""
    picture = selected.article.picture
    if picture is None or picture.credit is None or (picture.name and pictures == "none"):
        return ""
    return labels.credit_line(picture.credit, selected.language)


def _body(selected: SelectedArticle, selection: Selection, site_url: str) -> str:
    if selection.options.length != "full":
        return ""
    return for_email(
        selected.text.body,
        site_url=site_url,
        language=selected.language,
        pictures=pictures_option(selection),
        copies=selected.text.pictures,
        prefix=f"a{selected.article.id}-",
    )


def _body_text(selected: SelectedArticle, site_url: str) -> str:
    return as_text(selected.text.body, language=selected.language, site_url=site_url)


def _lead(selected: SelectedArticle, body: str) -> str:
    """Return the lead, or the start of the body if there is neither a lead nor a full text."""
    lead = selected.text.lead.strip()
    if lead or body:
        return lead
    return excerpt(paragraph_text(selected.text.body), least=200, most=320)

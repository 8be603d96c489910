"""Render an edition from a selection: subject, preheader, HTML and text, once for all its readers.

Rendering depends only on what the selection's key covers, so equal keys give equal editions.
"""

from __future__ import annotations

import unicodedata
from datetime import date

from django.utils.translation import gettext as _

from newsletter.digest import labels, palette
from newsletter.digest.content import (
    Branding,
    Issue,
    IssueText,
    Newsletter,
    RenderedEmail,
    RenderError,
    SelectedArticle,
    Selection,
)
from newsletter.digest.dates import month_name
from newsletter.digest.fragments import excerpt
from newsletter.digest.languages import pick
from newsletter.digest.mjml import FragmentMarkers, render_template, to_html
from newsletter.digest.plain_text import wrap_lines
from newsletter.digest.rich_text.email import for_email
from newsletter.digest.rich_text.text import as_text
from newsletter.digest.view_models import (
    article_view,
    headline_views,
    inline_images,
    logo_view,
    pictures_option,
    text_alignment,
    unavailable_views,
)
from newsletter.lib.languages import direction
from newsletter.lib.placeholders import Placeholder

LARGE_EMAIL_BYTES = 90_000
"""Size of the HTML from which editors are warned: Gmail clips emails over 102 KB (A11)."""
MIN_PREHEADER, MAX_PREHEADER = 40, 130
"""Characters of a preheader (A14)."""


def render(
    newsletter: Newsletter, issue: Issue, selection: Selection, *, view_url: str, today: date
) -> RenderedEmail:
    """Return the edition, complete apart from its placeholders. Raises RenderError.

    `view_url` shows the edition in a browser. `today` decides whether the week names its year.
    """
    markers = FragmentMarkers()
    branding = branding_in(newsletter, selection.language)
    period = labels.period_name(issue, selection.language, today=today)
    subject = checked_subject(_subject(issue, selection))
    preheader = _preheader(issue, selection, subject, branding, period)
    context = {
        **base_context(newsletter, selection.language),
        **_frame(newsletter, issue, selection, branding, markers),
        "title": markers.text(subject),
        "preheader": preheader,
        "period": period,
        "is_round_up": issue.period == "month",
        "articles": [
            article_view(selected, selection, newsletter, markers, today=today)
            for selected in selection.articles
            if not selected.headline_only
        ],
        "headlines": headline_views(selection),
        "unavailable": unavailable_views(selection, period=issue.period),
        "view_url": view_url,
    }
    return RenderedEmail(
        language=selection.language,
        label=_label(selection),
        subject=subject,
        preheader=preheader,
        html=_html(context, markers, selection),
        text=wrap_lines(render_template("email/digest.txt", context, selection.language)),
        images=inline_images(newsletter, selection, _introduction(issue, selection)),
    )


def size_warnings(rendered: RenderedEmail) -> list[str]:
    """Return warnings for editors about the email's size, in the active language (A11)."""
    size = len(rendered.html.encode())
    if size < LARGE_EMAIL_BYTES:
        return []
    return [
        _("The email is %(size)d KB. Gmail cuts off emails over 102 KB.") % {"size": size // 1000}
    ]


def base_context(newsletter: Newsletter, language: str) -> dict[str, object]:
    """Return what the layout of every email needs: language, direction and colours."""
    return {
        "language": language,
        "direction": direction(language),
        "alignment": text_alignment(language),
        "light": palette.light(newsletter.accent),
        "dark": palette.dark(newsletter.accent),
    }


def checked_subject(subject: str) -> str:
    """Return the stripped subject. Raises RenderError if it is empty or unfit for a header (A2)."""
    if not subject.strip():
        raise RenderError(_("The email has no subject."))
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in subject):
        raise RenderError(_("The subject contains a line break or a control character."))
    return subject.strip()


def branding_in(newsletter: Newsletter, language: str) -> Branding:
    """Return the branding in `language`, or in the newsletter's first language that has any."""
    available = newsletter.branding_by_language
    chosen = pick((language, *newsletter.languages, *available), available)
    if chosen is None:
        raise RenderError(_("The newsletter has no name in any language."))
    return available[chosen]


def compose_preheader(parts: list[str], subject: str) -> str:
    """Join as many `parts` as it takes to reach 40 characters, cut to 130 (A14).

    Parts that repeat the subject or each other are left out.
    """
    line = ""
    for part in (" ".join(part.split()) for part in parts):
        if part and part != subject and part not in line:
            line = f"{line} · {part}" if line else part
        if len(line) >= MIN_PREHEADER:
            break
    return excerpt(line, least=MIN_PREHEADER, most=MAX_PREHEADER)


def _frame(
    newsletter: Newsletter,
    issue: Issue,
    selection: Selection,
    branding: Branding,
    markers: FragmentMarkers,
) -> dict[str, object]:
    """Return the context for what stands above and below the articles."""
    language = selection.introduction_language
    text = _introduction(issue, selection)
    introduction = for_email(
        text.introduction,
        site_url=newsletter.site_url,
        language=language or selection.language,
        pictures=pictures_option(selection),
        copies=text.pictures,
        prefix="intro-",
    )
    return {
        "branding": branding,
        "logo": logo_view(newsletter, selection),
        "count": labels.article_count(
            len(selection.articles), selection.language, period=issue.period
        ),
        "introduction": introduction,
        "introduction_language": language,
        "introduction_direction": direction(language),
        "introduction_alignment": text_alignment(language),
        "introduction_marker": markers.html(introduction),
        "introduction_text": as_text(
            text.introduction,
            language=language or selection.language,
            site_url=newsletter.site_url,
        ),
        "labels": labels.page_labels(selection.language, newsletter=branding.newsletter),
        "issue_url": issue.urls.get(selection.language, ""),
        "unsubscribe_url": Placeholder.UNSUBSCRIBE.url,
        "preferences_url": Placeholder.PREFERENCES.url,
    }


def _introduction(issue: Issue, selection: Selection) -> IssueText:
    """Return the texts of the issue in the introduction's language; empty ones without any."""
    language = selection.introduction_language
    return issue.texts[language] if language else IssueText()


def _html(context: dict[str, object], markers: FragmentMarkers, selection: Selection) -> str:
    if selection.options.plain_text:
        return ""
    return to_html(render_template("email/digest.mjml", context, selection.language), markers)


def _top_article(selection: Selection) -> SelectedArticle:
    """Return the first article that isn't a fallback, or the first of all."""
    articles = selection.articles
    return next((selected for selected in articles if not selected.is_fallback), articles[0])


def _subject(issue: Issue, selection: Selection) -> str:
    """Return the editors' subject, or the top headline, after the month for a round-up."""
    top = _top_article(selection)
    for language in (top.language, selection.language):
        if subject := issue.texts.get(language, IssueText()).subject.strip(" "):
            return subject
    if issue.period == "month":
        return f"{month_name(issue.starts_on, top.language)}: {top.text.headline}"
    return top.text.headline


def _preheader(
    issue: Issue, selection: Selection, subject: str, branding: Branding, period: str
) -> str:
    """Return the editors' preheader or the leads, made longer if they are too short (A14)."""
    top = _top_article(selection)
    languages = (top.language, selection.language)
    own = [issue.texts[code].preheader for code in languages if code in issue.texts]
    articles = [top, *(selected for selected in selection.articles if selected is not top)]
    from_articles = (
        []  # A discreet preheader must not reveal the subject.
        if selection.options.discreet
        else [part for each in articles for part in (each.text.headline, each.text.lead)]
    )
    fixed = [period, branding.newsletter, branding.newsroom, branding.footer]
    # The subject of a round-up contains more than the headline.
    repeated = subject if issue.period == "week" else top.text.headline
    return compose_preheader([*own[:1], *from_articles, *fixed], repeated)


def _label(selection: Selection) -> str:
    """Return a name for the desk: "be, ru (be) · lead · embedded"."""
    languages = dict.fromkeys(selected.language for selected in selection.articles)
    options = selection.options
    form = "text" if options.plain_text else options.pictures
    return f"{', '.join(languages)} ({selection.language}) · {options.length} · {form}"

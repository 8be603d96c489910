"""An edition from a selection: subject, preheader, HTML and text, rendered once for all readers.

Nothing is read but what the selection's key covers, so that equal keys give equal editions.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
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
from newsletter.digest.fragments import as_text, excerpt, for_email
from newsletter.digest.languages import pick
from newsletter.digest.mjml import FragmentMarkers, render_template, to_html
from newsletter.digest.plain_text import wrap_lines
from newsletter.digest.view_models import (
    article_view,
    headline_views,
    inline_images,
    logo_view,
    text_alignment,
    unavailable_views,
)
from newsletter.lib.languages import direction
from newsletter.lib.placeholders import Placeholder

LARGE_EMAIL_BYTES = 90_000
"""Bytes of HTML at which to warn: Gmail clips what is longer than 102 KB (A11)."""
_PREHEADER_LEAST, _PREHEADER_MOST = 40, 130


def render(
    newsletter: Newsletter, issue: Issue, selection: Selection, *, view_url: str, today: date
) -> RenderedEmail:
    """The edition, complete but for its places. `view_url` shows it in a browser.

    `today` decides whether the week names its year. Raises RenderError where it must not go out.
    """
    placeholders = FragmentMarkers()
    frame = _Frame.of(newsletter, issue, selection, today)
    subject = checked_subject(_subject(issue, selection))
    context = {
        **base_context(newsletter, selection.language),
        **_around(newsletter, issue, selection, frame, placeholders),
        "title": placeholders.text(subject),
        "preheader": _preheader(issue, selection, subject, frame),
        "is_round_up": issue.period == "month",
        "articles": [
            article_view(entry, selection, newsletter, placeholders, today=today)
            for entry in selection.entries
            if not entry.is_brief
        ],
        "more": headline_views(selection),
        "elsewhere": unavailable_views(selection, period=issue.period),
        "view_url": view_url,
    }
    return RenderedEmail(
        language=selection.language,
        label=_label(selection),
        subject=subject,
        preheader=str(context["preheader"]),
        html=_html(context, placeholders, selection),
        text=wrap_lines(render_template("email/digest.txt", context, selection.language)),
        images=inline_images(newsletter, selection),
    )


def size_warnings(rendered: RenderedEmail) -> list[str]:
    """What an editor should know of the mail's size, in the active language (A11)."""
    size = len(rendered.html.encode())
    if size < LARGE_EMAIL_BYTES:
        return []
    return [
        _("The email is %(size)d KB. Gmail cuts off emails over 102 KB.") % {"size": size // 1000}
    ]


def base_context(newsletter: Newsletter, language: str) -> dict[str, object]:
    """What the frame of every mail needs: language, direction and colours."""
    return {
        "language": language,
        "direction": direction(language),
        "side": text_alignment(language),
        "light": palette.light(newsletter.accent),
        "dark": palette.dark(newsletter.accent),
    }


def checked_subject(subject: str) -> str:
    """The subject, unless it would break a header (A2): raises RenderError."""
    if not subject.strip():
        raise RenderError(_("The email has no subject."))
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in subject):
        raise RenderError(_("The subject contains a line break or a control character."))
    return subject.strip()


def branding_in(newsletter: Newsletter, language: str) -> Branding:
    """The wording in `language`, else in the newsletter's first that has one."""
    heads = newsletter.branding_by_language
    chosen = pick((language, *newsletter.languages, *heads), heads)
    if chosen is None:
        raise RenderError(_("The newsletter has no name in any language."))
    return heads[chosen]


@dataclass(frozen=True)
class _Frame:
    branding: Branding
    period: str

    @classmethod
    def of(cls, newsletter: Newsletter, issue: Issue, selection: Selection, today: date) -> _Frame:
        return cls(
            branding=branding_in(newsletter, selection.language),
            period=labels.period_name(issue, selection.language, today=today),
        )


def _around(
    newsletter: Newsletter,
    issue: Issue,
    selection: Selection,
    frame: _Frame,
    placeholders: FragmentMarkers,
) -> dict[str, object]:
    """What stands above and below the articles."""
    introduced = selection.introduction
    html = issue.texts[introduced].introduction if introduced else ""
    introduction = for_email(html, site_url=newsletter.site_url)
    return {
        "letterhead": frame.branding,
        "logo": logo_view(newsletter, selection),
        "period": frame.period,
        "count": labels.article_count(
            len(selection.entries), selection.language, period=issue.period
        ),
        "introduction": introduction,
        "introduction_language": introduced,
        "introduction_direction": direction(introduced),
        "introduction_side": text_alignment(introduced),
        "introduction_slot": placeholders.html(introduction),
        "introduction_text": as_text(introduction),
        "words": labels.page_labels(selection.language, newsletter=frame.branding.newsletter),
        "issue_url": issue.urls.get(selection.language, ""),
        "unsubscribe_url": Placeholder.UNSUBSCRIBE.url,
        "preferences_url": Placeholder.PREFERENCES.url,
    }


def _html(context: dict[str, object], placeholders: FragmentMarkers, selection: Selection) -> str:
    if selection.options.plain_text:
        return ""
    return to_html(render_template("email/digest.mjml", context, selection.language), placeholders)


def _leading(selection: Selection) -> SelectedArticle:
    """The top article in the edition's first language: the first that is no fallback."""
    entries = selection.entries
    return next((entry for entry in entries if not entry.is_fallback), entries[0])


def _subject(issue: Issue, selection: Selection) -> str:
    top = _leading(selection)
    for language in (top.language, selection.language):
        if subject := issue.texts.get(language, IssueText()).subject.strip(" "):
            return subject
    if issue.period == "month":
        return f"{month_name(issue.starts_on, top.language)}: {top.text.headline}"
    return top.text.headline


def _preheader(issue: Issue, selection: Selection, subject: str, frame: _Frame) -> str:
    """The editors' words, else the leads; longer than they are where they are short (A14)."""
    top = _leading(selection)
    languages = (top.language, selection.language)
    own = [issue.texts[each].preheader for each in languages if each in issue.texts]
    entries = [top, *(entry for entry in selection.entries if entry is not top)]
    told = [part for entry in entries for part in (entry.text.headline, entry.text.lead)]
    head = frame.branding
    # The subject of a round-up holds more than the headline.
    said = subject if issue.period == "week" else top.text.headline
    return compose_preheader(
        [*own[:1], *told, frame.period, head.newsletter, head.newsroom, head.footer], said
    )


def compose_preheader(parts: list[str], subject: str) -> str:
    """As many of `parts` as make 40 characters, at most 130; none that repeats the subject."""
    line = ""
    for part in (" ".join(part.split()) for part in parts):
        if part and part != subject and part not in line:
            line = f"{line} · {part}" if line else part
        if len(line) >= _PREHEADER_LEAST:
            break
    return excerpt(line, least=_PREHEADER_LEAST, most=_PREHEADER_MOST)


def _label(selection: Selection) -> str:
    """For the desk: "be, ru · lead"."""
    languages = dict.fromkeys(entry.language for entry in selection.entries)
    options = selection.options
    form = "text" if options.plain_text else options.pictures
    return f"{', '.join(languages)} ({selection.language}) · {options.length} · {form}"

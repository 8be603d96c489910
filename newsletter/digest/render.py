"""An edition from a selection: subject, preheader, HTML and text, rendered once for all readers.

Nothing is read but what the selection's key covers, so that equal keys give equal editions.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from newsletter.digest import palette, wording
from newsletter.digest.content import (
    Entry,
    Issue,
    IssueText,
    Letterhead,
    Newsletter,
    Rendered,
    RenderError,
    Selection,
)
from newsletter.digest.dates import month_name
from newsletter.digest.fragments import as_text, excerpt, for_mail
from newsletter.digest.languages import pick
from newsletter.digest.mjml import Slots, filled, to_html
from newsletter.digest.plain import laid_out
from newsletter.digest.showing import (
    images,
    show,
    show_elsewhere,
    show_more,
    shown_logo,
    side,
)
from newsletter.lib.languages import direction
from newsletter.lib.places import Place

LARGE = 90_000
"""Bytes of HTML at which to warn: Gmail clips what is longer than 102 KB (A11)."""
_PREHEADER_LEAST, _PREHEADER_MOST = 40, 130


def render(
    newsletter: Newsletter, issue: Issue, selection: Selection, *, view_url: str, today: date
) -> Rendered:
    """The edition, complete but for its places. `view_url` shows it in a browser.

    `today` decides whether the week names its year. Raises RenderError where it must not go out.
    """
    slots = Slots()
    frame = _Frame.of(newsletter, issue, selection, today)
    subject = checked_subject(_subject(issue, selection))
    context = {
        **base_context(newsletter, selection.language),
        **_around(newsletter, issue, selection, frame, slots),
        "title": slots.text(subject),
        "preheader": _preheader(issue, selection, subject, frame),
        "is_round_up": issue.period == "month",
        "articles": [
            show(entry, selection, newsletter, slots, today=today)
            for entry in selection.entries
            if not entry.is_brief
        ],
        "more": show_more(selection),
        "elsewhere": show_elsewhere(selection, period=issue.period),
        "view_url": view_url,
    }
    return Rendered(
        language=selection.language,
        label=_label(selection),
        subject=subject,
        preheader=str(context["preheader"]),
        html=_html(context, slots, selection),
        text=laid_out(filled("email/digest.txt", context, selection.language)),
        images=images(newsletter, selection),
    )


def size_warnings(rendered: Rendered) -> list[str]:
    """What an editor should know of the mail's size, in the active language (A11)."""
    size = len(rendered.html.encode())
    if size < LARGE:
        return []
    return [
        _("The mail has %(size)d KB. Gmail cuts off what is longer than 102 KB.")
        % {"size": size // 1000}
    ]


def base_context(newsletter: Newsletter, language: str) -> dict[str, object]:
    """What the frame of every mail needs: language, direction and colours."""
    return {
        "language": language,
        "direction": direction(language),
        "side": side(language),
        "light": palette.light(newsletter.accent),
        "dark": palette.dark(newsletter.accent),
    }


def checked_subject(subject: str) -> str:
    """The subject, unless it would break a header (A2): raises RenderError."""
    if not subject.strip():
        raise RenderError(_("The mail has no subject."))
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in subject):
        raise RenderError(_("The subject contains a line break or a control character."))
    return subject.strip()


def letterhead(newsletter: Newsletter, language: str) -> Letterhead:
    """The wording in `language`, else in the newsletter's first that has one."""
    heads = newsletter.letterheads
    chosen = pick((language, *newsletter.languages, *heads), heads)
    if chosen is None:
        raise RenderError(_("The newsletter has no name in any language."))
    return heads[chosen]


@dataclass(frozen=True)
class _Frame:
    letterhead: Letterhead
    period: str

    @classmethod
    def of(cls, newsletter: Newsletter, issue: Issue, selection: Selection, today: date) -> _Frame:
        return cls(
            letterhead=letterhead(newsletter, selection.language),
            period=wording.period_name(issue, selection.language, today=today),
        )


def _around(
    newsletter: Newsletter, issue: Issue, selection: Selection, frame: _Frame, slots: Slots
) -> dict[str, object]:
    """What stands above and below the articles."""
    introduced = selection.introduction
    html = issue.texts[introduced].introduction if introduced else ""
    introduction = for_mail(html, site_url=newsletter.site_url)
    return {
        "letterhead": frame.letterhead,
        "logo": shown_logo(newsletter, selection),
        "period": frame.period,
        "count": wording.article_count(
            len(selection.entries), selection.language, period=issue.period
        ),
        "introduction": introduction,
        "introduction_language": introduced,
        "introduction_direction": direction(introduced),
        "introduction_side": side(introduced),
        "introduction_slot": slots.html(introduction),
        "introduction_text": as_text(introduction),
        "words": wording.page_words(selection.language, newsletter=frame.letterhead.newsletter),
        "issue_url": issue.urls.get(selection.language, ""),
        "unsubscribe_url": Place.UNSUBSCRIBE.url,
        "preferences_url": Place.PREFERENCES.url,
    }


def _html(context: dict[str, object], slots: Slots, selection: Selection) -> str:
    if selection.wants.plain_text:
        return ""
    return to_html(filled("email/digest.mjml", context, selection.language), slots)


def _leading(selection: Selection) -> Entry:
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
    head = frame.letterhead
    # The subject of a round-up holds more than the headline.
    said = subject if issue.period == "week" else top.text.headline
    return preheader_of(
        [*own[:1], *told, frame.period, head.newsletter, head.newsroom, head.footer], said
    )


def preheader_of(parts: list[str], subject: str) -> str:
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
    wants = selection.wants
    form = "text" if wants.plain_text else wants.pictures
    return f"{', '.join(languages)} ({selection.language}) · {wants.amount} · {form}"

"""A single mail: a confirmation, a link, a welcome. A heading, paragraphs, one button, a foot."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import urlize

from newsletter.digest.content import Newsletter, Rendered
from newsletter.digest.mjml import Slots, filled, to_html
from newsletter.digest.plain import laid_out
from newsletter.digest.render import base_context, checked_subject, letterhead, preheader_of


def render_letter(
    newsletter: Newsletter,
    *,
    language: str,
    subject: str,
    heading: str,
    paragraphs: Sequence[str],
    button: tuple[str, str] | None,
    foot: Sequence[str],
) -> Rendered:
    """The mail in `language`, all of whose texts are plain; addresses in them become links.

    `button` is its words and its URL, which also stands beside it to be copied. Raises
    RenderError where the subject would break a header.
    """
    head = letterhead(newsletter, language)
    subject = checked_subject(subject)
    slots = Slots()
    context: dict[str, object] = {
        **base_context(newsletter, language),
        "title": slots.text(subject),
        "preheader": preheader_of([*paragraphs, head.newsletter, head.newsroom], subject),
        "letterhead": head,
        "heading": heading,
        "paragraphs": [(line, _linked(line, slots)) for line in paragraphs],
        "button": button,
        "foot": [(line, _linked(line, slots)) for line in foot],
    }
    return Rendered(
        language=language,
        label=language,
        subject=subject,
        preheader=str(context["preheader"]),
        html=to_html(filled("email/letter.mjml", context, language), slots),
        text=laid_out(filled("email/letter.txt", context, language)),
    )


def _linked(line: str, slots: Slots) -> str:
    return slots.html(str(urlize(line, autoescape=True)))

"""A single mail: a confirmation, a link, a welcome. A heading, paragraphs, one button, a foot."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import urlize

from newsletter.digest.content import Newsletter, RenderedEmail
from newsletter.digest.mjml import FragmentMarkers, render_template, to_html
from newsletter.digest.plain_text import wrap_lines
from newsletter.digest.render import base_context, branding_in, checked_subject, compose_preheader


def render_transactional(
    newsletter: Newsletter,
    *,
    language: str,
    subject: str,
    heading: str,
    paragraphs: Sequence[str],
    button: tuple[str, str] | None,
    foot: Sequence[str],
    text_paragraphs: Sequence[str] = (),
) -> RenderedEmail:
    """The mail in `language`, all of whose texts are plain; addresses in them become links.

    `button` is its words and its URL, which also stands beside it to be copied. Raises
    RenderError where the subject would break a header. `text_paragraphs` replace the paragraphs in
    the text part, which has no button; if the last ends with a colon, the URL follows directly.
    """
    head = branding_in(newsletter, language)
    subject = checked_subject(subject)
    placeholders = FragmentMarkers()
    context: dict[str, object] = {
        **base_context(newsletter, language),
        "title": placeholders.text(subject),
        "preheader": compose_preheader([*paragraphs, head.newsletter, head.newsroom], subject),
        "letterhead": head,
        "heading": heading,
        "paragraphs": [_linked(line, placeholders) for line in paragraphs],
        "text_paragraphs": text_paragraphs or paragraphs,
        "button": button,
        "foot": [(line, _linked(line, placeholders)) for line in foot],
    }
    return RenderedEmail(
        language=language,
        label=language,
        subject=subject,
        preheader=str(context["preheader"]),
        html=to_html(render_template("email/letter.mjml", context, language), placeholders),
        text=wrap_lines(render_template("email/letter.txt", context, language)),
    )


def _linked(line: str, placeholders: FragmentMarkers) -> str:
    return placeholders.html(str(urlize(line, autoescape=True)))

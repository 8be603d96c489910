"""Render a transactional email: a heading, paragraphs, an optional button, and a footer."""

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
    """Return the email in `language`. All texts are plain; URLs in them become links.

    `button` is a label and a URL, which is also printed below the button so that it can be
    copied. `text_paragraphs` replace the paragraphs in the text part, which has no button; if the
    last one ends with a colon, the URL follows directly. Raises RenderError if the subject would
    break a header.
    """
    branding = branding_in(newsletter, language)
    subject = checked_subject(subject)
    markers = FragmentMarkers()
    preheader = compose_preheader([*paragraphs, branding.newsletter, branding.newsroom], subject)
    context: dict[str, object] = {
        **base_context(newsletter, language),
        "title": markers.text(subject),
        "preheader": preheader,
        "branding": branding,
        "heading": heading,
        "paragraphs": [_with_links(line, markers) for line in paragraphs],
        "text_paragraphs": text_paragraphs or paragraphs,
        "button": button,
        "footer_lines": [(line, _with_links(line, markers)) for line in foot],
    }
    return RenderedEmail(
        language=language,
        label=language,
        subject=subject,
        preheader=preheader,
        html=to_html(render_template("email/transactional.mjml", context, language), markers),
        text=wrap_lines(render_template("email/transactional.txt", context, language)),
    )


def _with_links(line: str, markers: FragmentMarkers) -> str:
    return markers.html(str(urlize(line, autoescape=True)))

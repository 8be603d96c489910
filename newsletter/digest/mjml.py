"""MJML to the HTML of a mail: tables that Outlook lays out, styles inlined, dark mode kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import override

from newsletter.digest.content import RenderError

# Not in XML 1.0 (2.2); a word processor's line break (U+000B) is pasted along at times.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class FragmentMarkers:
    """Marks in the MJML for what must not pass through it; filled in afterwards.

    MJML is XML, and an editor's HTML ("<br>", "&nbsp;") need not be; and mjml-python writes an
    attribute's no-break spaces, soft hyphens and backslashes as escapes of its own ("\\u{a0}").
    """

    def __init__(self) -> None:
        self._fragments: list[str] = []

    def html(self, fragment: str) -> str:
        """The mark that clean HTML will take the place of."""
        self._fragments.append(_NOT_XML.sub(" ", fragment))
        return f"slot-9b1c6f0e-{len(self._fragments) - 1}-"

    def text(self, text: str) -> str:
        """The same for plain text, in an attribute too."""
        return self.html(escape(text))

    def fill(self, source: str) -> str:
        for number, fragment in enumerate(self._fragments):
            source = source.replace(f"slot-9b1c6f0e-{number}-", fragment)
        return source


def render_template(template: str, context: Mapping[str, object], language: str) -> str:
    """The template with `context`. A theme's own words come in `language`, not in that of the
    process (F4)."""
    with override(language):
        return render_to_string(template, dict(context))


def to_html(source: str, placeholders: FragmentMarkers) -> str:
    """The finished HTML, its slots filled. Raises RenderError on malformed MJML.

    Unknown MJML tags do not raise: a test checks our templates for them.
    """
    # Loaded at their first use: a process that only sends is smaller without them.
    import css_inline
    from mjml import mjml2html

    try:
        # Without `fonts`, MJML links to a font service: a mail loads nothing from elsewhere.
        html = str(mjml2html(_NOT_XML.sub(" ", source), fonts={}))
    except ValueError as error:
        message = _("The email template is not valid MJML: %(error)s") % {"error": error}
        raise RenderError(message) from None
    # The defaults would delete the dark mode's media query, and fetch style sheets.
    inliner = css_inline.CSSInliner(
        keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False
    )
    return str(inliner.inline(placeholders.fill(html)))

"""Compile MJML to HTML for email: tables for Outlook, inline styles, and dark mode."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import override

from newsletter.digest.content import RenderError

# Characters that XML 1.0 (2.2) forbids. Word processors paste U+000B as a line break.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class FragmentMarkers:
    """Markers in MJML that stand for HTML fragments until the MJML has been compiled.

    MJML is XML, which an editor's HTML ("<br>", "&nbsp;") need not be. Besides, mjml-python writes
    no-break spaces, soft hyphens and backslashes in attributes as escapes such as "\\u{a0}".
    """

    def __init__(self) -> None:
        self._fragments: list[str] = []

    def html(self, fragment: str) -> str:
        """Return a marker that `insert_fragments` will replace with this clean HTML."""
        self._fragments.append(_NOT_XML.sub(" ", fragment))
        return f"fragment-9b1c6f0e-{len(self._fragments) - 1}-"

    def text(self, text: str) -> str:
        """Return a marker for plain text, which may stand in an attribute."""
        return self.html(escape(text))

    def insert_fragments(self, source: str) -> str:
        for number, fragment in enumerate(self._fragments):
            source = source.replace(f"fragment-9b1c6f0e-{number}-", fragment)
        return source


def render_template(template: str, context: Mapping[str, object], language: str) -> str:
    """Render a template whose own strings are in `language`, whatever is active (F4)."""
    with override(language):
        return render_to_string(template, dict(context))


def to_html(source: str, markers: FragmentMarkers) -> str:
    """Compile MJML and insert the fragments. Raises RenderError if the MJML is malformed.

    Unknown MJML tags don't raise: a test checks our templates for them.
    """
    # Imported on first use, so that processes that only send stay smaller.
    import css_inline
    from mjml import mjml2html

    try:
        # Without `fonts`, MJML links to a font service, but an email must not load anything from
        # another site.
        html = str(mjml2html(_NOT_XML.sub(" ", source), fonts={}))
    except ValueError as error:
        message = _("The email template is not valid MJML: %(error)s") % {"error": error}
        raise RenderError(message) from None
    # The defaults would delete the media query for dark mode, and fetch style sheets.
    inliner = css_inline.CSSInliner(
        keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False
    )
    return str(inliner.inline(markers.insert_fragments(html)))

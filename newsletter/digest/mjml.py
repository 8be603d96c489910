"""MJML to the HTML of a mail: tables that Outlook lays out, styles inlined, dark mode kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import css_inline
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override
from mjml import mjml2html

from newsletter.digest.content import RenderError

_INLINER = css_inline.CSSInliner(
    # The defaults would delete the dark mode's media query, and fetch style sheets.
    keep_style_tags=True,
    keep_at_rules=True,
    load_remote_stylesheets=False,
)


def slot(number: int) -> str:
    """What stands in the MJML where fragment `number` will be.

    MJML is XML, and an editor's HTML ("<br>", "&nbsp;") need not be. The marks are private
    characters of Unicode: no template and no text has them by chance.
    """
    return f"\ue000{number}\ue001"


def filled(template: str, context: Mapping[str, object], language: str) -> str:
    """The template with `context`. A theme's own words come in `language`, not in that of the
    process (F4)."""
    with override(language):
        return render_to_string(template, dict(context))


def to_html(source: str, fragments: Sequence[str] = ()) -> str:
    """The finished HTML, each fragment in its slot. Raises RenderError on malformed MJML.

    Unknown MJML tags do not raise: a test checks our templates for them.
    """
    try:
        # Without `fonts`, MJML links to a font service: a mail loads nothing from elsewhere.
        html = str(mjml2html(source, fonts={}))
    except ValueError as error:
        message = _("The mail’s template is not valid MJML: %(error)s") % {"error": error}
        raise RenderError(message) from None
    for number, fragment in enumerate(fragments):
        html = html.replace(slot(number), fragment)
    return str(_INLINER.inline(html))

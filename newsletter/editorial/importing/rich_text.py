"""Take over the rich texts of a document: clean them, and report what can't be kept (H2)."""

from __future__ import annotations

import re
from html import escape

from newsletter.editorial.cleaning import clean
from newsletter.editorial.importing.report import ImportReport

_BLOCK = re.compile(
    r"<(?:p|div|br|h[1-6]|[uod]l|li|table|blockquote|pre|section|article|figure|hr)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[a-zA-Z/!]")
_BLANK_LINES = re.compile(r"\n[ \t\xa0]*\n\s*")


def clean_rich_text(html: str, report: ImportReport, *, location: str) -> str:
    """Return the text as it is stored, and report what it has lost."""
    cleaned = clean(with_paragraphs(html))
    for each in cleaned.dropped:
        report.dropped(location, str(each))
    return cleaned.html


def with_paragraphs(text: str) -> str:
    """Return a text without block elements as HTML: blank lines separate its paragraphs.

    If it has no tags at all, it is plain text, and each line break is kept.
    """
    if _BLOCK.search(text) or not text.strip():
        return text
    is_plain = not _TAG.search(text)
    paragraphs = _BLANK_LINES.split(text.replace("\r\n", "\n").strip())
    if is_plain:
        # A reference such as “&amp;” is read as HTML, as in a text with tags.
        paragraphs = [
            re.sub(r"&amp;(#?\w+;)", r"&\1", escape(paragraph, quote=False)).replace("\n", "<br>")
            for paragraph in paragraphs
        ]
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)

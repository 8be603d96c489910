"""Take over the rich texts of a document: clean them, and report what can't be kept (H2)."""

from __future__ import annotations

import re
from collections import Counter
from html import escape

from django.utils.translation import ngettext

from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.importing.report import ImportReport

_BLOCK = re.compile(
    r"<(?:p|div|br|h[1-6]|[uod]l|li|table|blockquote|pre|section|article|figure|hr)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[a-zA-Z/!]")
_BLANK_LINES = re.compile(r"\n[ \t\xa0]*\n\s*")
_ELEMENTS = re.compile(r"<(img|table|iframe|video|audio|object|embed)\b", re.IGNORECASE)
_EMBEDDED = ("iframe", "video", "audio", "object", "embed")


def clean_rich_text(html: str, report: ImportReport, *, location: str) -> str:
    """Return the text as it is stored, and report the elements that it has lost."""
    cleaned = clean_html(with_paragraphs(html))
    lost = _count(html) - _count(cleaned)
    for message in _messages(lost):
        report.dropped(location, message)
    return cleaned


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


def _count(html: str) -> Counter[str]:
    return Counter(tag.lower() for tag in _ELEMENTS.findall(html))


def _messages(lost: Counter[str]) -> list[str]:
    messages = []
    if number := lost["img"]:
        text = ngettext("%(number)s picture in the text", "%(number)s pictures in the text", number)
        messages.append(text % {"number": number})
    if number := lost["table"]:
        text = ngettext(
            "the rows and columns of %(number)s table",
            "the rows and columns of %(number)s tables",
            number,
        )
        messages.append(text % {"number": number})
    if number := sum(lost[tag] for tag in _EMBEDDED):
        text = ngettext("%(number)s embedded element", "%(number)s embedded elements", number)
        messages.append(text % {"number": number})
    return messages

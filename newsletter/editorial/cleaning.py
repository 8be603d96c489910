"""Clean editors' HTML before it is stored: typed, pasted or imported.

The rules are in `newsletter.digest.rich_text.table`. Cleaning never changes what a text says
(H2), and it is idempotent. What it can't keep, it reports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.digest.rich_text.structure import normalize
from newsletter.digest.rich_text.tree import Element, last_word, parse, serialize
from newsletter.editorial.rich_text import footnotes, links, office, pictures, styles
from newsletter.editorial.rich_text.dropped import Dropped, Kind, Report

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_EMBEDDED = re.compile(
    r"<(iframe|object|embed|video|audio|svg|math|form|input|select|textarea|canvas|script)\b([^>]*)",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"""\b(?:src|data|action)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!]")
_BLOCK = re.compile(
    r"<(p|div|br|h[1-6]|[uo]l|li|table|blockquote|pre|section|article|figure|hr|dl)\b",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True)
class Cleaned:
    """Clean HTML, and what a text lost on the way."""

    html: str
    dropped: tuple[Dropped, ...] = ()

    @property
    def messages(self) -> list[str]:
        """Return what was dropped, in the active language."""
        return [str(each) for each in self.dropped]


def clean(html: str) -> Cleaned:
    """Return the allowed part of `html` in canonical form, and what could not be kept."""
    report = Report()
    without_comments = _COMMENT.sub("", html)
    for tag, attributes in _EMBEDDED.findall(without_comments):
        source = _SOURCE.search(attributes)
        report.add(Kind.EMBEDDED, f"{tag.lower()} {source[1] if source else ''}")
    root = parse(_with_line_breaks(html))
    if office.is_office(html):
        office.forget_languages(root)
    office.prepare(root)
    styles.prepare(root, report)
    footnotes.prepare(root, report)
    links.prepare(root, report)
    pictures.prepare(root, report)
    _report_nested_tables(root, report)
    return Cleaned(last_word(serialize(normalize(root))), report.dropped())


def clean_html(html: str) -> str:
    """Return the allowed part of `html` in canonical form."""
    return clean(html).html


def _with_line_breaks(html: str) -> str:
    """Keep the paragraphs of a plain text, and its lines if it has no tags at all."""
    html = html.replace("\r\n", "\n").replace("\r", "\n")
    if _BLOCK.search(html):
        return html
    has_tags = bool(_TAG.search(html))
    html = _BLANK_LINES.sub("<br><br>", html.strip())
    return html if has_tags else html.replace("\n", "<br>")


def _report_nested_tables(root: Element, report: Report) -> None:
    for table in root.elements():
        if table.tag == "table":
            for inner in table.elements():
                if inner.tag == "table" and inner.text().strip():
                    report.add(Kind.TABLE, inner.text())

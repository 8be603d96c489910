"""The table of what rich text may contain (H2).

The editor's configuration, cleaning, pages, emails, text parts, feeds and imports all follow it. A
bold run-in heading needs no element: it is a paragraph that begins with bold text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "container", "part", "void", "mark"]


@dataclass(frozen=True)
class Allowed:
    """One allowed element: what it is, its attributes, and what the editor needs for it."""

    kind: Kind
    """`text` holds inline content, `container` holds blocks, `part` belongs to another element,
    `void` is empty, and `mark` is inline."""
    attributes: frozenset[str] = frozenset()
    extensions: Mapping[str, Any] = field(default_factory=dict)
    """Extensions of the editor, with their configuration."""


def _allow(kind: Kind, *attributes: str, **extensions: Any) -> Allowed:
    return Allowed(kind, frozenset(attributes), extensions)


def names(text: str) -> frozenset[str]:
    """Return the names in a text, which are separated by white space."""
    return frozenset(text.split())


ELEMENTS: dict[str, Allowed] = {
    "p": _allow("text", "lang", Paragraph=True, Passage=True),
    "h2": _allow("text", "lang", Heading={"levels": [2, 3, 4]}),
    "h3": _allow("text", "lang"),
    "h4": _allow("text", "lang"),
    "blockquote": _allow("container", Blockquote=True),
    "footer": _allow("part", QuoteSource=True),
    "ul": _allow("container", BulletList=True),
    "ol": _allow("container", "start", "type", "class", OrderedList=True),
    "li": _allow("part", "id", ListItem=True),
    "table": _allow("container", Table=True),
    "caption": _allow("part"),
    "thead": _allow("part"),
    "tbody": _allow("part"),
    "tr": _allow("part", TableRow=True),
    "th": _allow("part", "colspan", "rowspan", "scope", TableHeader=True),
    "td": _allow("part", "colspan", "rowspan", TableCell=True),
    "figure": _allow("container", Figure=True),
    "img": _allow("void", "src", "alt", "width", "height", Image=True),
    "figcaption": _allow("part", Caption=True),
    "hr": _allow("void", HorizontalRule=True),
    "br": _allow("void", HardBreak=True),
    "a": _allow("mark", "href", Link={"enableTarget": False}),
    "strong": _allow("mark", Bold=True),
    "em": _allow("mark", Italic=True),
    "s": _allow("mark", Strike=True),
    "sup": _allow("mark", "class", Superscript=True, Notes=True, NoteReference=True, Note=True),
    "sub": _allow("mark", Subscript=True),
    "span": _allow("mark", "lang", Language=True),
    "small": _allow("mark", Credit=True),
}
"""By tag. Footnotes are `sup.note > a[href="#note-1"]` and a final `ol.notes > li#note-1`, the
source of a quotation is a final `footer`, and the credit of a picture is `small` in its caption."""

CLASSES = {"sup": {"note"}, "ol": {"notes"}}

RENAMED = {
    **{"b": "strong", "i": "em", "cite": "em", "dfn": "em", "var": "em"},
    **{"strike": "s", "del": "s", "h1": "h2", "h5": "h4", "h6": "h4"},
}
"""Elements that mean the same as an allowed one."""

MARKS = tuple(tag for tag, allowed in ELEMENTS.items() if allowed.kind == "mark")
"""Inline elements, in the order in which they are nested: the first is the outermost."""

TEXT_BLOCKS = frozenset(tag for tag, allowed in ELEMENTS.items() if allowed.kind == "text")

OTHER_BLOCKS = names(
    """address article aside body center dd details dialog dir div dl dt fieldset form header
    hgroup html legend main menu nav optgroup option pre search section summary tbody td tfoot th
    thead tr caption figcaption footer"""
)
"""Blocks that aren't allowed, or not here. Their contents become paragraphs."""

SCHEMES = ("http", "https", "mailto")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)
LIST_TYPES = {"a", "A", "i", "I"}
NOTE = "note-"
"""A footnote's ID is this and its number."""


def editor_extensions() -> dict[str, Any]:
    """Return the editor's extensions for everything in the table, by name."""
    return {
        name: config for allowed in ELEMENTS.values() for name, config in allowed.extensions.items()
    }

"""Parse HTML into a small tree, and write a tree as HTML.

nh3 parses first, as browsers do, so that what is left for `HTMLParser` is always well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import TypeAlias

import nh3

from newsletter.digest.rich_text.table import CLASSES, ELEMENTS, OTHER_BLOCKS, SCHEMES, names

MAX_DEPTH = 150
"""Elements nested more deeply are dropped, but not their text."""

DROPPED_WITH_TEXT = names(
    """script style template noscript iframe object svg math textarea select title noembed noframes
    xmp plaintext applet"""
)
"""Elements whose text isn't part of what a reader sees."""

_KNOWN = names(
    """a abbr acronym address area article aside audio b bdi bdo big blink blockquote br button
    canvas caption center cite code data datalist dd del details dfn dialog dir div dl dt em embed
    fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins
    kbd label legend li main map mark marquee menu meter nav nobr ol output p picture pre progress q
    rp rt ruby s samp search section small source span strike strong sub summary sup table tbody td
    tfoot th thead time tr track tt u ul var video wbr"""
)
_ATTRIBUTES = {
    "*": {"class", "id", "lang", "style"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "table": {"data-caption"},
    **{tag: {"src"} for tag in ("audio", "embed", "source", "video")},
}
_OTHER_SCHEMES = {"about", "blob", "cid", "data", "file", "ftp", "javascript", "tel", "tg"}

_parser = nh3.Cleaner(
    tags=set(_KNOWN),
    clean_content_tags=set(DROPPED_WITH_TEXT),
    attributes=_ATTRIBUTES,
    # Cleaning removes and reports links with other schemes; rendering drops them.
    url_schemes={*SCHEMES, *_OTHER_SCHEMES},
    link_rel=None,
)
_last_word = nh3.Cleaner(
    tags=set(ELEMENTS),
    clean_content_tags=set(DROPPED_WITH_TEXT),
    attributes={tag: set(allowed.attributes - {"class"}) for tag, allowed in ELEMENTS.items()},
    allowed_classes=CLASSES,
    url_schemes=set(SCHEMES),
    link_rel=None,
)

# Outside a table, a parser drops the tags of cells, and text between cells moves in front of the
# table. Either would run words together.
_CELLS = re.compile(
    r"(?=</?(?:td|th|tr|table|caption|tbody|thead|tfoot|body|option)\b)", re.IGNORECASE
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_INVISIBLE = re.compile("[\u200b\u2060\ufeff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]")
_VOID = frozenset({"area", "br", "embed", "hr", "img", "input", "source", "track", "wbr"})


class Element:
    """An element with its attributes and children."""

    __slots__ = ("attrs", "children", "tag")

    def __init__(
        self, tag: str, children: Iterable[Node] = (), attrs: dict[str, str] | None = None
    ) -> None:
        self.tag = tag
        self.attrs = attrs or {}
        self.children: list[Node] = list(children)

    @property
    def classes(self) -> list[str]:
        return self.attrs.get("class", "").split()

    def elements(self) -> Iterator[Element]:
        """Yield the elements below this one, each before what it contains."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.elements()

    def text(self) -> str:
        """Return the text in it, without separators."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


Node: TypeAlias = "Element | str"


def fold(text: str) -> str:
    """Replace control characters and separators by spaces, and drop invisible characters (H1).

    A lone surrogate becomes U+FFFD.
    """
    text = _SURROGATES.sub("\ufffd", text)
    return _CONTROLS.sub(" ", _INVISIBLE.sub("", text))


def parse(html: str) -> Element:
    """Return a `div` with the content of `html`. Nothing about it is trusted or checked."""
    builder = _Builder()
    builder.feed(_parser.clean(_CELLS.sub(" ", fold(html))))
    builder.close()
    return builder.root


def serialize(nodes: Iterable[Node]) -> str:
    """Return the nodes as HTML."""
    return "".join(_write(nodes))


def last_word(html: str) -> str:
    """Return `html` without anything that the table doesn't allow."""
    return _last_word.clean(html)


def escape(text: str) -> str:
    """Escape text as browsers do when they write HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\xa0", "&nbsp;")


def _write(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield escape(node)
            continue
        attributes = "".join(
            f' {name}="{escape(value).replace(chr(34), "&quot;")}"'
            for name, value in node.attrs.items()
        )
        yield f"<{node.tag}{attributes}>"
        if node.tag not in _VOID:
            yield from _write(node.children)
            yield f"</{node.tag}>"


class _Builder(HTMLParser):
    """Builds the tree from well-formed HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("div")
        self.open = [self.root]
        self.too_deep = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID and (self.too_deep or len(self.open) >= MAX_DEPTH):
            self.too_deep += 1
            self._separate(tag)
            return
        element = Element(tag, attrs={name: fold(value or "") for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if self.too_deep:
            self.too_deep -= 1
            self._separate(tag)
        elif len(self.open) > 1:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        # Again, because "&#8232;" has only now become a character.
        self.open[-1].children.append(fold(data))

    def _separate(self, tag: str) -> None:
        if tag in OTHER_BLOCKS or (tag in ELEMENTS and ELEMENTS[tag].kind != "mark"):
            self.open[-1].children.append(" ")

"""Rich text as plain text, for the text part of an email.

Headings begin with `##`, quotations with `>`, list items with `*` or their number; the cells of a
table are separated by `|`, and footnotes are numbered `[1]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsletter.digest import labels
from newsletter.digest.rich_text.links import Place, note_items
from newsletter.digest.rich_text.notes import reference
from newsletter.digest.rich_text.structure import canonical
from newsletter.digest.rich_text.table import NOTE
from newsletter.digest.rich_text.tree import Element, Node

_SUPERSCRIPTS = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_TABLE_ROWS = {"thead", "tbody"}


def as_text(html: str, *, language: str, site_url: str = "", with_urls: bool = True) -> str:
    """Return the text with the URL of each link after its text.

    Labels for pictures are in `language`. Lines aren't wrapped yet.
    """
    writer = _Writer(Place(language, site_url), with_urls=with_urls)
    return "\n\n".join(writer.blocks(canonical(html)))


def paragraph_text(html: str) -> str:
    """Return the paragraphs as one plain text without URLs, or all blocks if there are none."""
    blocks = canonical(html)
    notes = {id(item) for item in note_items(blocks)}
    paragraphs = [block for block in blocks if block.tag == "p"]
    chosen = paragraphs or [b for b in blocks if not {id(c) for c in b.children} & notes]
    return "\n\n".join(plain_words([block]) for block in chosen)


def plain_words(nodes: Iterable[Node]) -> str:
    """Return what the nodes say, without any marks, with blocks separated by spaces."""
    return " ".join("".join(_words(nodes)).split())


def _words(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif node.tag == "sup" and reference(node):
            continue
        elif node.tag in {"strong", "em", "a", "span", "s", "small"}:
            yield from _words(node.children)
        elif node.tag in {"sup", "sub"}:
            yield _raised(node.text(), node.tag)
        else:
            yield " "
            yield from _words(node.children)
            yield " "


def _raised(text: str, tag: str) -> str:
    """Return a superscript or subscript that can't be read as part of the number before it."""
    table, sign = (_SUPERSCRIPTS, "^") if tag == "sup" else (_SUBSCRIPTS, "_")
    if text and all(ord(character) in table for character in text):
        return text.translate(table)
    return f"{sign}({text})" if " " in text else f"{sign}{text}"


@dataclass(frozen=True)
class _Writer:
    place: Place
    with_urls: bool

    def blocks(self, nodes: Iterable[Node]) -> list[str]:
        """Return each block as text. Inline content between blocks is a block too."""
        written: list[str] = []
        line: list[Node] = []
        for node in nodes:
            if isinstance(node, Element) and (write := _BLOCKS.get(node.tag)):
                written += self._line(line)
                line = []
                written += filter(None, [write(self, node)])
            else:
                line.append(node)
        return written + self._line(line)

    def _line(self, nodes: list[Node]) -> list[str]:
        text = self.inline(nodes).strip()
        return [text] if text else []

    def inline(self, nodes: Iterable[Node]) -> str:
        return "".join(node if isinstance(node, str) else self._mark(node) for node in nodes)

    def _mark(self, node: Element) -> str:
        if node.tag == "br":
            return "\n"
        if key := reference(node):
            return f"[{key}]"
        if node.tag in {"sup", "sub"}:
            return _raised(self.inline(node.children), node.tag)
        text = self.inline(node.children)
        if node.tag == "s":
            return f"~~{text}~~"
        if node.tag == "a" and self.with_urls:
            url = self.place.absolute(node.attrs["href"])
            return url if text.strip() == url.removeprefix("mailto:") else f"{text} ({url})"
        return text

    def heading(self, node: Element) -> str:
        marks = "#" * int(node.tag[1])
        return "\n".join(f"{marks} {line}" for line in self.inline(node.children).splitlines())

    def paragraph(self, node: Element) -> str:
        return self.inline(node.children).strip()

    def quote(self, node: Element) -> str:
        inner = "\n\n".join(self.blocks(node.children))
        return "\n".join(f"> {line}".rstrip() for line in inner.splitlines())

    def source(self, node: Element) -> str:
        return f"— {self.inline(node.children)}"

    def rule(self, _node: Element) -> str:
        return "* * *"

    def list(self, node: Element) -> str:
        items = [each for each in node.children if isinstance(each, Element)]
        if node.attrs.get("class") == "notes":
            signs = [f"[{item.attrs['id'].removeprefix(NOTE)}]" for item in items]
            indent = ""
        elif node.tag == "ol":
            start = int(node.attrs.get("start", 1))
            style = node.attrs.get("type", "1")
            signs = [f"{_ordinal(start + n, style)}." for n in range(len(items))]
            indent = "  "
        else:
            signs, indent = ["*"] * len(items), "  "
        return "\n".join(
            self._item(item, f"{indent}{sign} ") for item, sign in zip(items, signs, strict=True)
        )

    def _item(self, item: Element, sign: str) -> str:
        parts = self.blocks(item.children)
        tight = all(not isinstance(each, Element) or each.tag != "p" for each in item.children)
        lines = ("\n" if tight else "\n\n").join(parts).splitlines() or [""]
        margin = " " * len(sign)
        return "\n".join([f"{sign}{lines[0]}", *(f"{margin}{line}".rstrip() for line in lines[1:])])

    def table(self, node: Element) -> str:
        lines = [self.inline(each.children) for each in _parts(node, {"caption"})]
        for row in _parts(node, {"tr"}):
            cells = [self._cell(cell) for cell in _parts(row, {"td", "th"})]
            lines.append(" | ".join(cells).strip())
        return "\n".join(lines)

    def _cell(self, cell: Element) -> str:
        lines = "\n".join(self.blocks(cell.children)).splitlines()
        return " / ".join(filter(None, map(str.strip, lines)))

    def figure(self, node: Element) -> str:
        lines = []
        for each in _parts(node, {"img", "figcaption"}):
            if each.tag == "img":
                lines.append(f"[{labels.picture(each.attrs.get('alt', ''), self.place.language)}]")
            else:
                lines.append(self.inline(each.children))
        return "\n".join(lines)


_BLOCKS = {
    **dict.fromkeys(("h2", "h3", "h4"), _Writer.heading),
    **dict.fromkeys(("ul", "ol"), _Writer.list),
    "p": _Writer.paragraph,
    "blockquote": _Writer.quote,
    "footer": _Writer.source,
    "table": _Writer.table,
    "figure": _Writer.figure,
    "hr": _Writer.rule,
}


def _parts(node: Element, tags: set[str]) -> list[Element]:
    """Return the parts of a table or figure, but not those of a table inside a cell."""
    found: list[Element] = []
    for child in node.children:
        if isinstance(child, Element):
            if child.tag in tags:
                found.append(child)
            elif child.tag in _TABLE_ROWS:
                found += _parts(child, tags)
    return found


def _ordinal(number: int, style: str) -> str:
    """Return the number of a list item in its style: "3", "c", "C", "iii" or "III"."""
    if style in "aA" and 0 < number <= 26:
        letter = chr(ord("a") + number - 1)
        return letter.upper() if style == "A" else letter
    if style in "iI" and 0 < number < 40:
        roman, rest = "", number
        for value, sign in _ROMAN:
            roman += sign * (rest // value)
            rest %= value
        return roman.upper() if style == "I" else roman
    return str(number)

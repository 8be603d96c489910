"""Tables in canonical form: caption, head, body. The rows that have only headings are the head."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from newsletter.digest.rich_text.inline import Run, tidy, to_nodes
from newsletter.digest.rich_text.tree import Element, Node

MAX_SPAN = 100


def build(
    table: Element,
    *,
    cell: Callable[[Element], list[Node]],
    caption: Callable[[list[Node]], list[Node]],
) -> list[Element]:
    """Return the table, or nothing if it has no words.

    `cell` and `caption` bring the content of a cell and of a caption into canonical form.
    """
    title = _caption(table, caption)
    rows = [row for each in _rows(table) if (row := _row(each, cell))]
    if not any(part.children for row in rows for part in row.children if isinstance(part, Element)):
        return [Element("p", title)] if title else []
    head = 0
    while head < len(rows) - 1 and _is_heading_row(rows[head]):
        head += 1
    if len(rows) == 1 and _is_heading_row(rows[0]):
        head = 1
    parts: list[Node] = [Element("caption", title)] if title else []
    for tag, part, scope in (("thead", rows[:head], "col"), ("tbody", rows[head:], "row")):
        for row in part:
            for each in row.children:
                if isinstance(each, Element) and each.tag == "th":
                    each.attrs["scope"] = scope
        if part:
            parts.append(Element(tag, part))
    return [Element("table", parts)]


def without_tables(blocks: list[Element]) -> list[Element]:
    """Replace tables inside a cell by their cells' content: few mail programs show them well."""
    flat: list[Element] = []
    for block in blocks:
        if block.tag != "table":
            flat.append(block)
            continue
        for part in block.elements():
            if part.tag in {"td", "th", "caption"} and part.children:
                flat += _as_blocks(part.children)
    return flat


def _as_blocks(nodes: list[Node]) -> list[Element]:
    blocks: list[Element] = []
    inline: list[Node] = []
    for node in [*nodes, None]:
        if node is None or (isinstance(node, Element) and node.tag in _BLOCKS):
            if inline:
                blocks.append(Element("p", inline))
            inline = []
            blocks += [node] if isinstance(node, Element) else []
        else:
            inline.append(node)
    return blocks


_BLOCKS = {"p", "h2", "h3", "h4", "ul", "ol", "blockquote", "figure", "hr", "table"}


def _caption(table: Element, caption: Callable[[list[Node]], list[Node]]) -> list[Node]:
    """Return the caption as plain text, which is what the editor can hold."""
    found = [each for each in table.children if isinstance(each, Element) and each.tag == "caption"]
    of_editor: list[Node] = [table.attrs.get("data-caption", "")]
    text = "".join(_plain(caption(found[0].children) if found else of_editor))
    return to_nodes(tidy([Run(text)]))


def _plain(nodes: list[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif node.tag == "br":
            yield " "
        else:
            yield from _plain(node.children)


def _rows(table: Element) -> Iterator[Element]:
    """Yield the rows, those of the foot last."""
    sections = [each for each in table.children if isinstance(each, Element)]
    for section in sorted(sections, key=lambda each: each.tag == "tfoot"):
        if section.tag == "tr":
            yield section
        elif section.tag in {"thead", "tbody", "tfoot"}:
            for row in section.children:
                if isinstance(row, Element) and row.tag == "tr":
                    if section.tag == "thead":
                        row = _as_headings(row)
                    yield row


def _as_headings(row: Element) -> Element:
    cells = [each for each in row.children if isinstance(each, Element)]
    return Element("tr", [Element("th", each.children, each.attrs) for each in cells], row.attrs)


def _row(row: Element, cell: Callable[[Element], list[Node]]) -> Element | None:
    cells = [
        Element(each.tag, cell(each), _spans(each))
        for each in row.children
        if isinstance(each, Element) and each.tag in {"td", "th"}
    ]
    return Element("tr", cells) if cells else None


def _spans(cell: Element) -> dict[str, str]:
    spans = {}
    for name in ("colspan", "rowspan"):
        value = cell.attrs.get(name, "")
        if value.isascii() and value.isdecimal() and 1 < int(value[:6]) <= MAX_SPAN:
            spans[name] = str(int(value))
    return spans


def _is_heading_row(row: Element) -> bool:
    return all(isinstance(each, Element) and each.tag == "th" for each in row.children)

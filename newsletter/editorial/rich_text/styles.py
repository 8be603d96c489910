"""Formatting that pasted HTML gives by styles instead of elements.

Google Docs wraps everything in a `b` of normal weight and marks bold text with a `span`; Word and
LibreOffice do the same for superscripts and struck-out text.
"""

from __future__ import annotations

import re

from newsletter.digest.rich_text.table import MARKS
from newsletter.digest.rich_text.tree import Element, Node
from newsletter.editorial.rich_text.dropped import Kind, Report

_DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;]+)")
_HEADINGS = {f"h{level}" for level in range(1, 7)} | {"th"}
_STYLED = {"span", "font", "p", "li", "td", "div", "a", "b", "strong", "i", "em", "u", "sup", "sub"}
_PRESERVED = ("pre", "pre-wrap", "pre-line", "break-spaces")


def style_of(node: Element) -> dict[str, str]:
    """Return the declarations of its `style` attribute, in lower case."""
    declarations = _DECLARATION.findall(node.attrs.get("style", ""))
    return {name.lower(): value.strip().lower() for name, value in declarations}


def prepare(root: Element, report: Report) -> None:
    """Turn styles into elements, quotation marks that browsers add into text, and so on."""
    _visit(root, report, heading=False, linked=False, preserved=False)


def _visit(node: Element, report: Report, *, heading: bool, linked: bool, preserved: bool) -> None:
    style = style_of(node)
    if white_space := style.get("white-space", ""):
        preserved = white_space in _PRESERVED
    preserved = preserved or node.tag == "pre"
    heading = heading or node.tag in _HEADINGS
    linked = linked or node.tag == "a"
    children: list[Node] = []
    for child in node.children:
        if isinstance(child, str):
            children += _lines(child) if preserved else [child]
        elif _is_hidden(child):
            if text := child.text().strip():
                report.add(Kind.HIDDEN, text)
        else:
            _visit(child, report, heading=heading, linked=linked, preserved=preserved)
            children.append(child)
    node.children = children
    if node.tag in {"u", "mark"} and not linked and not _has_link(node) and node.text().strip():
        report.add(Kind.FORMATTING, node.text())
    if node.tag in _STYLED:
        _apply(node, style, heading=heading)
    if node.tag == "q":
        _quote(node)


def _is_hidden(node: Element) -> bool:
    style = style_of(node)
    return style.get("display") == "none" or style.get("mso-hide") == "all"


def _has_link(node: Element) -> bool:
    return any(each.tag == "a" for each in node.elements())


def _lines(text: str) -> list[Node]:
    """Return preformatted text with its line breaks as elements."""
    first, *others = text.split("\n")
    return [first, *(node for line in others for node in (Element("br"), line))]


def _apply(node: Element, style: dict[str, str], *, heading: bool) -> None:
    weight, slant = style.get("font-weight", ""), style.get("font-style", "")
    if node.tag in {"b", "strong"} and weight and not _is_bold(weight):
        node.tag = "span"
    if node.tag in {"i", "em"} and slant == "normal":
        node.tag = "span"
    decoration = style.get("text-decoration", "") + style.get("text-decoration-line", "")
    align = style.get("vertical-align", "")
    wrappers = {
        "strong": _is_bold(weight) and not heading,
        "em": slant in {"italic", "oblique"},
        "s": "line-through" in decoration,
        "sup": align == "super" and node.tag != "sup",
        "sub": align == "sub" and node.tag != "sub",
    }
    for tag in MARKS:
        if wrappers.get(tag):
            node.children = [Element(tag, node.children)]


def _is_bold(weight: str) -> bool:
    return weight in {"bold", "bolder"} or (weight.isdecimal() and int(weight) >= 600)


def _quote(node: Element) -> None:
    """Write the quotation marks that a browser shows around `q`."""
    is_cyrillic = re.search("[а-яёіў]", node.text(), re.IGNORECASE)
    opening, closing = "«»" if is_cyrillic else "“”"
    node.tag = "span"
    node.children = [opening, *node.children, closing]

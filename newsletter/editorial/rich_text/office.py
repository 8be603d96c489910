"""Lists, headings and quotations that word processors write as paragraphs."""

from __future__ import annotations

import re

from newsletter.digest.rich_text.tree import Element, Node
from newsletter.editorial.rich_text.styles import style_of

_OFFICE = re.compile(
    r"""class=["']?Mso|mso-|schemas-microsoft-com|docs-internal-guid|LibreOffice|OpenOffice
    |sdfootnote|sdendnote|class=["']?western""",
    re.IGNORECASE | re.VERBOSE,
)
_HEADING = re.compile(r"MsoHeading([1-9])|MsoTitle()", re.IGNORECASE)
_LEVEL = re.compile(r"\blevel([1-9])\b")
_NUMBER = re.compile(r"\(?([0-9]{1,4}|[a-zA-Z]|[ivxIVX]{1,6})[.)]")
_ROMAN = {"i": 1, "v": 5, "x": 10}


def is_office(html: str) -> bool:
    """Return whether a word processor wrote the HTML. These mark a language on everything."""
    return bool(_OFFICE.search(html))


def prepare(root: Element) -> None:
    """Turn Word's paragraphs into the lists, headings and quotations that they stand for."""
    for node in [root, *root.elements()]:
        if node.tag == "p":
            _name_paragraph(node)
    for node in [root, *root.elements()]:
        _build_lists(node)
    _shift_headings(root)


def forget_languages(root: Element) -> None:
    for node in root.elements():
        node.attrs.pop("lang", None)


def _name_paragraph(node: Element) -> None:
    heading = _HEADING.match(node.attrs.get("class", ""))
    outline = style_of(node).get("mso-outline-level", "")
    if heading:
        node.tag = f"h{min(int(heading[1] or 1), 6)}"
    elif outline.isdecimal():
        node.tag = f"h{min(max(int(outline), 1), 6)}"
    elif re.match("Mso(Intense)?Quote", node.attrs.get("class", "")):
        node.children = [Element("p", node.children)]
        node.tag = "blockquote"


def _shift_headings(root: Element) -> None:
    """Lower all headings by one level if there is an h1 above others: h2 is our highest."""
    headings = [node for node in root.elements() if re.fullmatch("h[1-6]", node.tag)]
    levels = {node.tag for node in headings}
    if "h1" in levels and len(levels) > 1:
        for node in headings:
            node.tag = f"h{min(int(node.tag[1]) + 1, 6)}"


def _build_lists(parent: Element) -> None:
    """Replace paragraphs that are items of a list by lists, nested by their level."""
    children: list[Node] = []
    open_lists: list[tuple[int, Element]] = []
    for child in parent.children:
        level = _list_level(child)
        if level and isinstance(child, Element):
            _add_item(children, open_lists, child, level)
        else:
            if not isinstance(child, str) or child.strip():
                open_lists.clear()
            children.append(child)
    parent.children = children


def _list_level(node: Node) -> int:
    if isinstance(node, str) or node.tag not in {"p", "h1", "h2", "h3", "h4", "h5", "h6"}:
        return 0
    value = style_of(node).get("mso-list", "")
    found = _LEVEL.search(value)
    # A numbered heading is a heading.
    return int(found[1]) if found and node.tag == "p" and _marker(node) is not None else 0


def _add_item(
    children: list[Node], open_lists: list[tuple[int, Element]], node: Element, level: int
) -> None:
    while open_lists and open_lists[-1][0] > level:
        open_lists.pop()
    kind = _new_list(_take_marker(node))
    current = open_lists[-1] if open_lists else None
    if current is None or current[0] < level or current[1].tag != kind.tag:
        if current is not None and current[0] == level:
            open_lists.pop()
        if open_lists:
            items = open_lists[-1][1].children
            last = items[-1]
            if isinstance(last, Element):
                last.children.append(kind)
        else:
            children.append(kind)
        open_lists.append((level, kind))
    open_lists[-1][1].children.append(Element("li", node.children))


def _marker(node: Element) -> Element | None:
    """Return the span with the bullet or number that Word writes for other programs."""
    return next(
        (each for each in node.elements() if style_of(each).get("mso-list") == "ignore"), None
    )


def _take_marker(node: Element) -> str:
    marker = _marker(node)
    if marker is None:
        return ""
    text = marker.text().strip()
    marker.children = []
    return text


def _new_list(marker: str) -> Element:
    found = _NUMBER.match(marker)
    if not found:
        return Element("ul")
    sign = found[1]
    if sign.isdecimal():
        return Element("ol", attrs={"start": sign})
    if set(sign.lower()) <= set(_ROMAN) and (len(sign) > 1 or sign in "iI"):
        kind, start = ("i" if sign.islower() else "I"), _roman(sign.lower())
    else:
        kind, start = ("a" if sign.islower() else "A"), ord(sign.lower()) - ord("a") + 1
    return Element("ol", attrs={"start": str(start), "type": kind})


def _roman(sign: str) -> int:
    values = [_ROMAN[letter] for letter in sign]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)

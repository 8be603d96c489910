"""Footnotes: numbered by their first reference, and collected at the end of a text."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.digest.rich_text.table import NOTE
from newsletter.digest.rich_text.tree import Element, Node


def keys(root: Element) -> frozenset[str]:
    """Return the keys of the footnotes in a parsed text."""
    lists = [each for each in root.elements() if each.tag == "ol" and "notes" in each.classes]
    items = [item for each in lists for item in each.children if isinstance(item, Element)]
    return frozenset(
        item.attrs["id"].removeprefix(NOTE)
        for item in items
        if item.attrs.get("id", "").startswith(NOTE)
    )


def reference(node: Element) -> str:
    """Return the key of the footnote that `sup.note` refers to, or ""."""
    if node.tag != "sup" or "note" not in node.classes:
        return ""
    links = [each for each in node.elements() if each.tag == "a"]
    target = links[0].attrs.get("href", "") if links else ""
    return target.removeprefix(f"#{NOTE}") if target.startswith(f"#{NOTE}") else ""


def number(blocks: list[Element], notes: dict[str, list[Node]]) -> list[Element]:
    """Return the blocks with numbered references, followed by the list of footnotes.

    The references in a canonical text all have a footnote, unless it is empty: then its number
    stays as a superscript. A footnote without a reference comes last, so that its text isn't lost.
    """
    numbers: dict[str, str] = {}
    inside_notes = [child for nodes in notes.values() for child in nodes]
    for found in references([*blocks, *inside_notes]):
        key = reference(found)
        if key in notes:
            numbers.setdefault(key, str(len(numbers) + 1))
            found.children = [link(numbers[key])]
        else:
            found.attrs.clear()
            found.children = [found.text()]
    for key in notes:
        numbers.setdefault(key, str(len(numbers) + 1))
    ordered = sorted(notes, key=lambda key: int(numbers[key]))
    items = [Element("li", notes[key], {"id": f"{NOTE}{numbers[key]}"}) for key in ordered]
    return [*blocks, Element("ol", items, {"class": "notes"})] if items else blocks


def link(number: str) -> Element:
    return Element("a", [number], {"href": f"#{NOTE}{number}"})


def references(nodes: Iterable[Node]) -> list[Element]:
    """Return the references in canonical nodes, in order."""
    found: list[Element] = []
    for node in nodes:
        if isinstance(node, Element):
            found += [node] if reference(node) else references(node.children)
    return found

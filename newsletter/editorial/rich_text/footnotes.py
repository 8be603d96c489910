"""Footnotes of word processors and web pages.

They all look alike: a link with a number leads to an element further down, which often has a link
back. Word names them `_ftn1` and `_ftnref1`, Google Docs `ftnt1` and `ftnt_ref1`, LibreOffice
`sdfootnote1sym` and `sdfootnote1anc`, web pages `fn1`, `cite_note-1` and many others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.digest.rich_text.notes import keys, reference
from newsletter.digest.rich_text.table import NOTE
from newsletter.digest.rich_text.tree import Element, Node
from newsletter.editorial.rich_text.dropped import Kind, Report

_SIGN = re.compile(r"[\[(]?\s*([0-9]{1,3}|[a-zA-Z]{1,2}|[ivxlcIVXLC]{1,6}|[*†‡§]{1,3})\s*[\])]?\.?")
_BACK = re.compile(r"[\s↩↑⇧⤴^\ufe0e\ufe0f]*")
_OFFICE_FRAGMENT = re.compile(
    r"(_ftn|_edn|_ftnref|_ednref|ftnt|ftnt_ref)\d+|sd(foot|end)note\d+(anc|sym)"
)
_CONTAINERS = {"div", "aside", "section", "li"}
_SEPARATORS = {"hr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote"}
_INLINE = {"a", "sup", "span", "strong", "b", "em", "i", "font", "small", "u"}


def prepare(root: Element, report: Report) -> None:
    """Turn footnotes, however they are written, into ours. Report those without a reference."""
    _Footnotes(root).convert()
    for item in _items(root):
        known = {reference(each) for each in root.elements()}
        if item.attrs.get("id", "").removeprefix(NOTE) not in known and item.text().strip():
            report.add(Kind.NOTE, item.text())


def _items(root: Element) -> Iterator[Element]:
    for each in root.elements():
        if each.tag == "ol" and "notes" in each.classes:
            yield from (child for child in each.children if isinstance(child, Element))


class _Footnotes:
    """The links inside a text, with the places that they lead to."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.parents: dict[int, Element] = {}
        self.order: dict[int, int] = {id(root): 0}
        self.targets: dict[str, Element] = {}
        for node in root.elements():
            self.order[id(node)] = len(self.order)
            for name in (node.attrs.get("id"), node.attrs.get("name")):
                if name:
                    self.targets.setdefault(name, node)
        for node in [root, *root.elements()]:
            for child in node.children:
                if isinstance(child, Element):
                    self.parents[id(child)] = node

    def convert(self) -> None:
        links = [each for each in self.root.elements() if self._is_reference(each)]
        bodies = {id(link): self._body(link, links) for link in links}
        made: dict[int, str] = {}
        notes: list[Element] = []
        for link in links:
            body = bodies[id(link)]
            if body is None:
                continue
            if id(body) not in made:
                key = f"x{len(made)}"
                note = self._take(body, links)
                if note is None:
                    continue
                made[id(body)] = key
                notes.append(Element("li", note, {"id": f"{NOTE}{key}"}))
            self._refer(link, made[id(body)])
        if notes:
            self.root.children.append(Element("ol", notes, {"class": "notes"}))

    def _fragment(self, link: Element) -> str:
        url, _sign, fragment = link.attrs.get("href", "").partition("#")
        if fragment and (not url.strip() or _OFFICE_FRAGMENT.fullmatch(fragment)):
            return fragment
        return ""

    def _is_reference(self, node: Element) -> bool:
        """Return whether this is a link with a number to something further down."""
        if node.tag != "a" or not _SIGN.fullmatch(node.text().strip()):
            return False
        target = self.targets.get(self._fragment(node))
        if target is None or self.order[id(target)] <= self.order[id(node)]:
            return False
        is_ours = any(reference(each) in keys(self.root) for each in self._around(node))
        return not is_ours and not re.fullmatch("h[1-6]", target.tag)

    def _around(self, node: Element) -> Iterator[Element]:
        """Yield the elements around this one, from the inside out, without the root."""
        current = self.parents.get(id(node))
        while current is not None and current is not self.root:
            yield current
            current = self.parents.get(id(current))

    def _body(self, link: Element, links: list[Element]) -> Element | None:
        """Return the block with the footnote's text, or None if it has other things too."""
        body = self.targets[self._fragment(link)]
        for outer in [body, *self._around(body)]:
            body = outer
            if body.tag not in _INLINE:
                break
        if body.tag in _INLINE or self._has_others(body, link, links):
            return None
        for outer in self._around(body):
            if outer.tag not in _CONTAINERS or self._has_others(outer, link, links):
                break
            body = outer
        return body

    def _has_others(self, body: Element, link: Element, links: list[Element]) -> bool:
        """Return whether the element holds more than one footnote's text."""
        within = [body, *body.elements()]
        if any(each.tag in _SEPARATORS for each in within):
            return True
        inside = {id(each) for each in within}
        own = self.targets[self._fragment(link)]
        return any(
            id(each) in inside
            or ((target := self.targets[self._fragment(each)]) is not own and id(target) in inside)
            for each in links
        )

    def _take(self, body: Element, links: list[Element]) -> list[Node] | None:
        """Remove the block from the text and return its content without number and links back."""
        number = next((each for each in body.elements() if self._is_own_number(each)), None)
        backs = [each for each in body.elements() if each is number or self._is_back(each, links)]
        saved = [(each, each.children) for each in backs]
        for each in backs:
            each.children = []
        if not body.text().strip():
            for each, children in saved:
                each.children = children
            return None
        for each in backs:
            self._remove_empty(each)
        self._remove(body)
        return body.children

    def _is_own_number(self, node: Element) -> bool:
        """Return whether this is the number before the footnote, which is also its target."""
        is_target = node.attrs.get("name") in self.targets or node.attrs.get("id") in self.targets
        return node.tag == "a" and is_target and bool(_SIGN.fullmatch(node.text().strip()))

    def _is_back(self, node: Element, links: list[Element]) -> bool:
        if node.tag != "a":
            return False
        target = self.targets.get(self._fragment(node))
        if target is None or self.order[id(target)] >= self.order[id(node)]:
            return False
        text = node.text().strip()
        near = {id(each) for link in links for each in (link, *list(self._around(link))[:2])}
        inside = {id(each) for link in links for each in link.elements()}
        if not _SIGN.fullmatch(text) and not _BACK.fullmatch(text):
            return False
        return id(target) in near | inside or bool(_BACK.fullmatch(text))

    def _remove_empty(self, node: Element) -> None:
        """Remove the element, and those around it that are then empty."""
        parent = self.parents.get(id(node))
        self._remove(node)
        if parent is not None and parent.tag in _INLINE and not parent.text().strip():
            self._remove_empty(parent)

    def _remove(self, node: Element) -> None:
        """Remove the element, and a line that Word draws above the footnotes."""
        parent = self.parents[id(node)]
        place = next(n for n, child in enumerate(parent.children) if child is node)
        before = [
            child
            for child in parent.children[:place]
            if not (isinstance(child, str) and not child.strip())
            and not (isinstance(child, Element) and child.tag == "br")
        ]
        if before and isinstance(before[-1], Element) and before[-1].tag == "hr":
            parent.children = [child for child in parent.children if child is not before[-1]]
        parent.children = [child for child in parent.children if child is not node]

    def _refer(self, link: Element, key: str) -> None:
        """Put our reference in the place of the link and of a `sup` around it."""
        place = link
        for outer in self._around(link):
            if outer.tag not in _INLINE or outer.text().strip() != link.text().strip():
                break
            place = outer
        place.tag = "sup"
        place.attrs = {"class": "note"}
        place.children = [Element("a", [key], {"href": f"#{NOTE}{key}"})]

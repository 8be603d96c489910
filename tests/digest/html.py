"""Parse an email's HTML into a list of elements, with the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    styles: list[dict[str, str]]
    """Inline styles of the ancestors and the element itself, outermost first."""
    text: str = ""


@dataclass
class EmailHtml(HTMLParser):
    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        inherited = self._open[-1].styles if self._open else []
        element = Element(tag, attributes, [*inherited, _styles(attributes.get("style", ""))])
        self.elements.append(element)
        if tag == "br":
            self.handle_data("\n")
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def links(self) -> list[str]:
        return [element.attributes["href"] for element in self.all("a")]

    def visible(self) -> str:
        """Return the body's text without the hidden preheader."""
        (body,) = self.all("body")
        hidden = [e for e in self.all("div") if e.styles[-1].get("display") == "none"]
        return body.text.replace(hidden[0].text, "", 1) if hidden else body.text


def computed(element: Element, name: str) -> str:
    """Return the nearest inline value of an inherited property, or ""."""
    return next((styles[name] for styles in reversed(element.styles) if name in styles), "")


def _styles(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, _colon, value in pairs}

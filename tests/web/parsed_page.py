"""A parsed page, as a browser or a search engine reads it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

Element = tuple[str, dict[str, str]]


class ParsedPage(HTMLParser):
    """The page's `elements` in order, each with its attributes, and its `text` without tags."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.words: list[str] = []
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            found
            for name, found in self.elements
            if name == tag and wanted.items() <= found.items()
        ]

    @property
    def canonical(self) -> str:
        (link,) = self.all("link", rel="canonical")
        return link["href"]

    @property
    def alternates(self) -> dict[str, str]:
        """Return the URL of each hreflang."""
        links = self.all("link", rel="alternate")
        return {link["hreflang"]: link["href"] for link in links if "hreflang" in link}

    @property
    def language_switch(self) -> dict[str, str]:
        """Return the path of each language in the language switch."""
        return {
            link["hreflang"]: link["href"]
            for link in self.all("a")
            if "aria-label" in link and "hreflang" in link
        }

"""What cleaning removed from the texts of a document, each thing with its location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from newsletter.editorial.importing import schema
from newsletter.editorial.importing.errors import Problem
from newsletter.editorial.rich_text.dropped import Dropped


def dropped_lines(
    document: schema.Document, dropped: Mapping[str, tuple[Dropped, ...]]
) -> list[str]:
    """Return a line for each thing removed, such as "articles[0].translations.be.body: …"."""
    return [
        str(Problem(location, str(each)))
        for location, html in _texts(document)
        for each in dropped.get(html, ())
    ]


def _texts(document: schema.Document) -> Iterator[tuple[str, str]]:
    """Yield the location and the clean HTML of every rich text."""
    for name in ("about", "privacy"):
        for code, html in getattr(document.newsroom, name).items():
            yield f"newsroom.{name}.{code}", html
    for number, issue in enumerate(document.issues):
        for code, text in issue.texts.items():
            yield f"issues[{number}].texts.{code}.introduction", text.introduction
        yield from _bodies(f"issues[{number}].articles", issue.articles)
    yield from _bodies("articles", document.articles)


def _bodies(location: str, articles: Sequence[schema.Article]) -> Iterator[tuple[str, str]]:
    for number, article in enumerate(articles):
        for code, text in article.translations.items():
            yield f"{location}[{number}].translations.{code}.body", text.body

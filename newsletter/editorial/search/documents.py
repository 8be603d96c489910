"""The lexemes of a row: what its column holds, and what its index finds. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.editorial.search.stems import stems
from newsletter.editorial.search.words import words

IN_HEADLINE = "^"
"""Marks a lexeme of the headline, which is stored a second time with this mark."""
IN_LEAD = "+"
"""Marks a lexeme of headline, lead or authors in the same way."""
MAX_BYTES = 1_000_000
"""Of a row's lexemes in UTF-8, a little below PostgreSQL's limit for a tsvector. A text of more
than about 200 pages can be found only by its beginning."""

# These stand inside a word; every other tag is a space between words. <sup> is one of the others:
# it holds the number of a footnote.
_INLINE = r"a|abbr|b|bdi|bdo|cite|code|del|em|i|ins|mark|q|s|small|span|strong|sub|u"
_TAG = re.compile(rf"<!--.*?-->|</?(?:({_INLINE})(?=[\s/>])|[a-z])[^<>]*>", re.DOTALL | re.I)


@dataclass(frozen=True)
class Document:
    """The searchable plain text of a row, by how much a hit in it counts."""

    headline: str = ""
    lead: str = ""
    body: str = ""
    language: str = ""


def lexemes(document: Document) -> str:
    """Return the distinct folded words and stems, separated by single spaces."""
    found: dict[str, None] = {}
    left = MAX_BYTES
    for lexeme in _all(document):
        if lexeme in found:
            continue
        left -= len(lexeme.encode()) + 1
        if left < 0:
            break
        found[lexeme] = None
    return " ".join(found)


def text_of(markup: str) -> str:
    """Return the text of clean HTML, with a space where a block begins or ends."""
    return html.unescape(_TAG.sub(lambda tag: "" if tag[1] else " ", markup))


def _all(document: Document) -> Iterator[str]:
    headline = list(_forms(document.headline, document.language))
    lead = [*headline, *_forms(document.lead, document.language)]
    yield from (IN_HEADLINE + form for form in headline)
    yield from (IN_LEAD + form for form in lead)
    yield from lead
    yield from _forms(document.body, document.language)


def _forms(text: str, language: str) -> Iterator[str]:
    for word in dict.fromkeys(words(text)):
        yield word
        yield from stems(word, language)

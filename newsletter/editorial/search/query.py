"""What somebody typed into a search box, as a condition on lexemes. Pure.

All words have to be found. The last one may be the beginning of a word, because it may still be
typed. Anything but letters and digits separates words, so no character is an operator.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from newsletter.editorial.search.documents import IN_HEADLINE, IN_LEAD
from newsletter.editorial.search.stems import stems_in_any_language
from newsletter.editorial.search.words import words

MAX_WORDS = 16
"""Distinct words that count; further ones are ignored."""
SHORTEST_PREFIX = 2
"""Letters of a last word that may be a beginning. One letter would match nearly every text."""


@dataclass(frozen=True)
class Term:
    """A word, any of whose forms has to be found."""

    forms: tuple[str, ...]
    """As it is written first, then its stems."""
    is_prefix: bool = False


@dataclass(frozen=True)
class Query:
    """Terms that all have to be found in a row. Without any, it is false and finds nothing."""

    terms: tuple[Term, ...] = ()
    mark: str = ""
    """The part of the document in which they have to be (`IN_HEADLINE`, `IN_LEAD`), or ""."""

    def __bool__(self) -> bool:
        return bool(self.terms)

    def in_headline(self) -> Query:
        return replace(self, mark=IN_HEADLINE)

    def in_lead(self) -> Query:
        return replace(self, mark=IN_LEAD)

    def matches(self, lexemes: Collection[str]) -> bool:
        """Return whether the lexemes of one row satisfy the query."""
        return bool(self.terms) and all(self._has(term, lexemes) for term in self.terms)

    def _has(self, term: Term, lexemes: Collection[str]) -> bool:
        if any(self.mark + form in lexemes for form in term.forms):
            return True
        beginning = self.mark + term.forms[0]
        return term.is_prefix and any(each.startswith(beginning) for each in lexemes)

    def for_fts5(self) -> str:
        """Return an expression for SQLite's MATCH: `("савета" OR "савет") AND ("ты"*)`."""
        return self._expression('"{}"', '"{}"*', " OR ", " AND ")

    def for_tsquery(self) -> str:
        """Return text for PostgreSQL's tsquery: `('савета' | 'савет') & ('ты':*)`."""
        return self._expression("'{}'", "'{}':*", " | ", " & ")

    def _expression(self, whole: str, beginning: str, any_of: str, all_of: str) -> str:
        # Forms hold letters, marks and digits only, so there is nothing to escape.
        return all_of.join(
            "({})".format(
                any_of.join(
                    (beginning if term.is_prefix and form == term.forms[0] else whole).format(
                        self.mark + form
                    )
                    for form in term.forms
                )
            )
            for term in self.terms
        )


def parse(text: str) -> Query:
    """Return the query for a text of any length."""
    # Beyond that there can't be words that count, unless they repeat.
    found = list(dict.fromkeys(words(text[:2000])))[:MAX_WORDS]
    return Query(tuple(_term(word, is_last=word == found[-1]) for word in found))


def _term(word: str, *, is_last: bool) -> Term:
    forms = (word, *sorted(stems_in_any_language(word)))
    return Term(forms, is_prefix=is_last and len(word) >= SHORTEST_PREFIX)

"""Light stemming: strip the endings that a language's rules list. Pure.

The endings are data (`[search]` in newsletter/lib/language_rules). A word keeps at least three
letters. Every form of a word should give at least one common stem; they needn't be words.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

from newsletter.lib.language_rules import languages_with_rules, rules_for

SHORTEST = 3
"""Letters that a stem has at least."""


@lru_cache(maxsize=20_000)
def stems(word: str, language: str) -> frozenset[str]:
    """Return the stems of a folded word: "савеце", "be" → {"савец", "савет"}.

    A word without a known ending, or in a language without rules, has none.
    """
    rules = rules_for(language).search
    found = set(_replaced(word, rules.alternations))
    if len(ending := _longest(word, _endings(language))) > 0:
        found.add(_single_consonant(word[: -len(ending)]))
    return frozenset(found - {word})


def stems_in_any_language(word: str) -> frozenset[str]:
    """Return the stems that the word has in all languages with rules."""
    return frozenset().union(*(stems(word, code) for code in languages_with_rules()))


@cache
def _endings(language: str) -> frozenset[str]:
    return frozenset(rules_for(language).search.endings)


def _longest(word: str, endings: frozenset[str]) -> str:
    """Return the longest ending that leaves a stem, or ""."""
    tails = (word[start:] for start in range(SHORTEST, len(word)))
    return next((tail for tail in tails if tail in endings), "")


def _replaced(word: str, alternations: dict[str, str]) -> Iterator[str]:
    for start in range(1, len(word)):
        new = alternations.get(word[start:])
        if new is not None and start + len(new) >= SHORTEST:
            yield _single_consonant(word[:start] + new)
            return


def _single_consonant(stem: str) -> str:
    """Undo doubling at the end: "беларусс(ю)" → "беларус", "bann(ed)" → "ban"."""
    is_double = len(stem) > SHORTEST and stem[-1] == stem[-2]
    return stem[:-1] if is_double else stem

"""Chains: a reader's languages in order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def chain_of(choices: Iterable[Sequence[str]], page_language: str) -> tuple[str, ...]:
    """One chain from the choices that were ticked: the page's language first if it is among
    them, then the others in the choices' order, none twice."""
    codes = dict.fromkeys(code for choice in choices for code in choice)
    return tuple(sorted(codes, key=lambda code: code != page_language))


def reordered(chosen: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """The chain from the language chosen for each place ("" for none), given the chain before.

    Where a language was put in one place and still stands in another, the two places change
    languages: so a reader who puts their second language first does not lose the other.
    """
    places = list(chosen)
    old = [*before, *[""] * (len(places) - len(before))]
    for later, code in enumerate(chosen):
        earlier = places.index(code) if code in places else later
        if code and earlier < later and places[later] == code:
            if code == old[later]:
                places[later] = old[earlier]
            elif code == old[earlier]:
                places[earlier] = old[later]
    return tuple(dict.fromkeys(code for code in places if code))

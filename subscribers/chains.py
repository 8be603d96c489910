"""Chains: a reader's languages in order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def chain_of(choices: Iterable[Sequence[str]], page_language: str) -> tuple[str, ...]:
    """One chain from the choices that were ticked: the page's language first if it is among
    them, then the others in the choices' order, none twice."""
    codes = dict.fromkeys(code for choice in choices for code in choice)
    return tuple(sorted(codes, key=lambda code: code != page_language))

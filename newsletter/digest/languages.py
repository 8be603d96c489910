"""Chains of languages: which of the languages that it has something is shown in. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence


def pick(chain: Iterable[str], available: Container[str]) -> str | None:
    """The first language of `chain` that is `available`; None where none is."""
    return next((language for language in chain if language in available), None)


def pick_or_any(chain: Iterable[str], available: Collection[str]) -> str | None:
    """The first language of `chain` that is available, else the first available one, or None."""
    return pick(chain, available) or next(iter(available), None)


def page_chain(
    language: str, choices: Sequence[Sequence[str]], languages: Sequence[str]
) -> tuple[str, ...]:
    """The languages in which a page in `language` shows a text, best first.

    The newsletter's choice that contains the language, turned so that it begins with it, and
    then the newsletter's other languages: what exists is always shown.
    """
    chain = [language]
    fitting = sorted(
        (list(choice) for choice in choices if language in choice),
        key=lambda choice: choice.index(language),
    )
    if fitting:
        start = fitting[0].index(language)
        chain += fitting[0][start:] + fitting[0][:start]
    return tuple(dict.fromkeys([*chain, *languages]))

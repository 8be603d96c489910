"""Choose a language from a chain, which lists languages in order of preference. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence


def pick(chain: Iterable[str], available: Container[str]) -> str | None:
    """Return the first language of `chain` that is available, or None."""
    return next((language for language in chain if language in available), None)


def pick_or_any(chain: Iterable[str], available: Collection[str]) -> str | None:
    """Return the first language of `chain` that is available, or else any, or None."""
    return pick(chain, available) or next(iter(available), None)


def page_chain(
    language: str, choices: Sequence[Sequence[str]], languages: Sequence[str]
) -> tuple[str, ...]:
    """Return the languages in which a page in `language` shows a text, best first.

    These are the languages of the sign-up choice that contains `language`, rotated to start with
    it, and then the newsletter's other languages, so that an existing text is always shown.
    """
    chain = [language]
    matching = sorted(
        (list(choice) for choice in choices if language in choice),
        key=lambda choice: choice.index(language),
    )
    if matching:
        start = matching[0].index(language)
        chain += matching[0][start:] + matching[0][:start]
    return tuple(dict.fromkeys([*chain, *languages]))

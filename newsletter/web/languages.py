"""Which language a page, and each text on it, is in (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from newsletter.digest.languages import pick


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


def best(chain: Sequence[str], available: Collection[str]) -> str | None:
    """The first of the chain that is available, else any that is; None where none is."""
    return pick(chain, available) or min(available, default=None)


def short_label(code: str) -> str:
    """What the language switch says: the code, but the country's "by" for Belarusian, which is
    what readers there look for."""
    return "by" if code == "be" else code

"""Which language a page, and each text on it, is in (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from newsletter.digest.languages import pick
from newsletter.lib.languages import own_name


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


def in_language(code: str) -> str:
    """The label of a text that is not in the page's language: "in Russian".

    A language that we have no phrase for is named in itself, so that a new one needs no code.
    """
    phrases = {
        "be": _("in Belarusian"),
        "en": _("in English"),
        "ru": _("in Russian"),
    }
    return phrases.get(code) or own_name(code)


def short_label(code: str) -> str:
    """What the language switch says: the code, but the country's "by" for Belarusian, which is
    what readers there look for."""
    return "by" if code == "be" else code

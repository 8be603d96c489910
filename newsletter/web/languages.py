"""What the language switch calls a language, and the URL prefixes that lead to it."""

from __future__ import annotations

from django.conf import settings

from newsletter.lib.language_rules import rules_for


def short_label(code: str) -> str:
    """Return the language's label in the switch: its code, or "by" for Belarusian."""
    return rules_for(code).switch_label or code


def redirected_prefixes() -> dict[str, str]:
    """Return the labels that aren't codes, each with its code: `/by/…` redirects to `/be/…`."""
    codes = [code for code, _name in settings.LANGUAGES]
    return {short_label(code): code for code in codes if short_label(code) not in codes}

"""Names of languages. This module reads no settings, because the settings import it."""

from __future__ import annotations

from typing import Any

from babel import Locale, UnknownLocaleError
from django.conf.locale import LANG_INFO


def language_name(code: str) -> str:
    """Return the language's name in itself ("беларуская"), or the code if Django has no name."""
    info: dict[str, Any] = LANG_INFO.get(code, {})
    name = str(info.get("name_local", code))
    # Languages in Cyrillic script don't capitalize it, but Django does for some ("Русский").
    return name.lower() if "\u0400" <= name[:1] <= "\u052f" else name


def language_name_in(code: str, language: str) -> str:
    """Return the language's name in another language, for a sentence: "Belarusian", "белорусский".

    Falls back to its name in itself if CLDR has no name for it.
    """
    try:
        named, reader = Locale.parse(code, sep="-"), Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return language_name(code)
    return named.get_display_name(reader) or language_name(code)

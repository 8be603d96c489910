"""Languages' names in themselves. It reads no settings, for the settings read it."""

from __future__ import annotations

from typing import Any

from django.conf.locale import LANG_INFO


def own_name(code: str) -> str:
    """The language's name in itself: "беларуская". The code where Django knows no name."""
    info: dict[str, Any] = LANG_INFO.get(code, {})
    name = str(info.get("name_local", code))
    # No language in Cyrillic letters writes it with a capital; Django does for some ("Русский").
    return name.lower() if "\u0400" <= name[:1] <= "\u052f" else name

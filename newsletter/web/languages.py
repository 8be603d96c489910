"""What the site's language switch says (pure)."""

from __future__ import annotations


def short_label(code: str) -> str:
    """The code of the language, but the country's "by" for Belarusian, which is what readers
    there look for."""
    return "by" if code == "be" else code

"""Labels of the language switch (pure)."""

from __future__ import annotations


def short_label(code: str) -> str:
    """Return the language's code; for Belarusian "by", the country code that readers look for."""
    return "by" if code == "be" else code

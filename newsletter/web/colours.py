"""The newsroom's colours, validated and adjusted for contrast (pure)."""

from __future__ import annotations

import re

from newsletter.digest.colours import readable

ACCENT, INK = "#8a1c1c", "#1c1b1a"
PAPER, DARK_PAPER = "#fdfcfa", "#181716"
"""The site's backgrounds, as in site.css."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def valid_or_default(colour: str, default: str) -> str:
    """Return `colour` if it has the form #8a1c1c, else `default`: it goes into a style sheet."""
    return colour if _HEX.fullmatch(colour) else default


def palette(accent: str, ink: str) -> dict[str, str]:
    """Return a page's colours, readable on the light and the dark background."""
    accent, ink = valid_or_default(accent, ACCENT), valid_or_default(ink, INK)
    return {
        "accent": readable(accent, on=PAPER),
        "accent_dark": readable(accent, on=DARK_PAPER),
        "ink": readable(ink, on=PAPER),
    }

"""The colours of emails, light and dark. All text has a contrast of at least 4.5:1 (A13)."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.digest.colours import readable


@dataclass(frozen=True)
class Palette:
    """Colours as "#rrggbb". `ground`, `panel` and `hairline` are not for text."""

    ground: str
    panel: str
    hairline: str
    ink: str
    muted: str
    improved: str
    unchanged: str
    worsened: str
    accent: str
    on_accent: str = "#ffffff"


def light(accent: str) -> Palette:
    """Return dark text on warm white, with the newsroom's accent darkened if it is too pale."""
    shade = readable(readable(accent, on="#f5f1ea"), on="#ffffff")
    return Palette(
        ground="#fdfcfa",
        panel="#f5f1ea",
        hairline="#dcd6cc",
        ink="#1c1b1a",
        muted="#635d54",
        improved="#1f6b3a",
        unchanged="#635d54",
        worsened="#a3261b",
        accent=shade,
    )


def dark(accent: str) -> Palette:
    """Return light text on warm black, with the accent lightened if it is too dark."""
    return Palette(
        ground="#171614",
        panel="#24221e",
        hairline="#423d36",
        ink="#ece7df",
        muted="#b5aea2",
        improved="#86cb9d",
        unchanged="#b5aea2",
        worsened="#f29488",
        accent=readable(accent, on="#24221e"),
        on_accent="#171614",
    )

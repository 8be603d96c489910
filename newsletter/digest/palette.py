"""The colours of a mail, in light and in dark. Every text has a contrast of 4.5 or more (A13)."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.digest.colours import readable


@dataclass(frozen=True)
class Palette:
    """All "#rrggbb". `panel` is a tinted ground; every other but `hairline` is for text."""

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
    """Ink on warm white, with the newsroom's accent darkened where it would be too pale."""
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
    """The same on warm black, with the accent lightened."""
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

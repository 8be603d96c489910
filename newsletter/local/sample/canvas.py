"""A canvas for the sample newsroom's pictures: flat shapes on a gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

PICTURES_DIR = Path(__file__).resolve().parent / "pictures"
SCALE = 2
"""Shapes are drawn larger and reduced, so that their edges are smooth."""
WIDTH, HEIGHT = 1200 * SCALE, 675 * SCALE
MAX_BYTES = 60_000

Colour = str
Point = tuple[float, float]


class Canvas:
    """Draws in the units of the final picture, 1200 × 675."""

    def __init__(self, top: Colour, bottom: Colour) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT))
        self.draw = ImageDraw.Draw(self.image)
        start, end = _rgb(top), _rgb(bottom)
        for row in range(HEIGHT):
            share = row / HEIGHT
            mixed = tuple(round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
            self.draw.line([(0, row), (WIDTH, row)], fill=mixed)

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self.shape([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        corners = [c * SCALE for c in (x - radius, y - radius, x + radius, y + radius)]
        self.draw.ellipse(corners, fill=colour)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.draw.line(scaled, fill=colour, width=round(width * SCALE), joint="curve")

    def hills(self, base: float, height: float, colour: Colour, *, phase: float) -> None:
        edge: list[Point] = [
            (
                x,
                base
                - height * (0.6 * math.sin(x / 190 + phase) + 0.4 * math.sin(x / 83 + phase * 2)),
            )
            for x in range(0, 1201, 6)
        ]
        self.shape([(0, 675), *edge, (1200, 675)], colour)

    def save(self, name: str) -> None:
        """Save a JPEG with the best quality that stays within MAX_BYTES."""
        small = self.image.resize((1200, 675), Image.Resampling.LANCZOS)
        for quality in (86, 80, 74, 66, 58):
            small.save(PICTURES_DIR / name, quality=quality, optimize=True, progressive=True)
            if (PICTURES_DIR / name).stat().st_size <= MAX_BYTES:
                return


def _rgb(colour: Colour) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)

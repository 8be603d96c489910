"""Contrast as WCAG 2.2 defines it, to keep a newsroom's accent colour readable. Pure."""

from __future__ import annotations

MIN_CONTRAST = 4.5

Colour = tuple[int, int, int]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours "#rrggbb", from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(_parse(one)), _luminance(_parse(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, *, on: str) -> str:
    """Return `colour`, mixed with as little white or black as makes it readable on `on`."""
    background = _parse(on)
    end = (255, 255, 255) if _luminance(background) < 0.18 else (0, 0, 0)
    original = _parse(colour)
    for step in range(21):
        mixed = _format(_mix(original, end, step / 20))
        if contrast(mixed, on) >= MIN_CONTRAST:
            return mixed
    return _format(end)


def _parse(colour: str) -> Colour:
    digits = colour.lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _format(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(value / 255) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

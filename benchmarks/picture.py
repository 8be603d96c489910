"""Draw a run as SVG bars of messages a second."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from benchmarks import names
from benchmarks.samples import Results

WIDTH, ROW, LEFT, RIGHT, TOP = 860, 26, 270, 90, 44
OURS, OTHERS = "#8a1c1c", "#9a958c"


def draw(results: Results) -> str:
    """Return bars in the order of the table, on one scale from zero."""
    shown = [name for name in results.samples if not name.startswith("stages")]
    height = TOP + ROW * len(shown) + 16
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13"'
            ' role="img" aria-label="Messages a second of each sender">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            '<text x="16" y="26" font-size="15" font-weight="bold" fill="#1c1b1a">'
            "Messages a second, one run, median</text>",
            *_bars(results, shown),
            "</svg>\n",
        ]
    )


def _bars(results: Results, shown: list[str]) -> Iterator[str]:
    longest = max(results.rate(name) for name in shown)
    for index, name in enumerate(shown):
        rate, y = results.rate(name), TOP + ROW * index
        width = max(1.0, rate / longest * (WIDTH - LEFT - RIGHT))
        colour = OURS if name.startswith(names.OURS) else OTHERS
        yield (
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end" fill="#1c1b1a">'
            f"{escape(name)}</text>"
            f'<rect x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="16" fill="{colour}"/>'
            f'<text x="{LEFT + width + 6:.1f}" y="{y + 16}" fill="#1c1b1a">{rate:,.0f}</text>'
        )

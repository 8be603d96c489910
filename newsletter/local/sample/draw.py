"""Draw the sample newsroom's pictures: `python -m newsletter.local.sample.draw`.

The output is the same, byte for byte, each time. Nothing is loaded from anywhere.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from newsletter.local.sample.canvas import PICTURES_DIR, Canvas, Colour


def _tree(canvas: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    canvas.line([(x, y), (x, y - size)], colour, size / 14)
    for step in range(1, 7):
        reach = size * (0.42 - step * 0.045)
        level = y - size * (0.25 + step * 0.12)
        for side in (-1, 1):
            canvas.line([(x, level), (x + side * reach, level - reach * 0.9)], colour, size / 34)


def _house(canvas: Canvas, x: float, y: float, width: float, height: float, wall: Colour) -> None:
    canvas.box(x, y - height, width, height, wall)
    roof = [
        (x - 8, y - height),
        (x + width / 2, y - height - width * 0.42),
        (x + width + 8, y - height),
    ]
    canvas.shape(roof, "#5b3a35")


def river(canvas: Canvas) -> None:
    """Low water between gravel and bare willows."""
    canvas.disc(905, 175, 62, "#fbe3b4")
    canvas.hills(330, 46, "#9fb2a9", phase=0.4)
    canvas.hills(385, 34, "#7d988f", phase=2.1)
    canvas.box(0, 400, 1200, 275, "#b9a684")
    left = [(610 - 200 * ((y - 400) / 275) + 46 * math.sin(y / 38), y) for y in range(400, 676, 5)]
    right = [
        (680 + 170 * ((y - 400) / 275) + 40 * math.sin(y / 44), y) for y in range(675, 399, -5)
    ]
    canvas.shape([*left, *right], "#4f8593")
    canvas.line([(x - 40, y) for x, y in left[4:]], "#d2c3a2", 12)
    canvas.line([(x + 34, y) for x, y in right[:-4]], "#d2c3a2", 12)
    for at, ground, size in ((120, 560, 330), (270, 490, 210), (980, 520, 260), (1110, 610, 380)):
        _tree(canvas, at, ground, size, "#4a4037")
    stones = random.Random(7)  # noqa: S311
    for _ in range(90):
        x, y = stones.uniform(0, 1200), stones.uniform(520, 670)
        if not 380 < x < 900:
            canvas.disc(
                x, y, stones.uniform(3, 9), stones.choice(["#a3906f", "#cdbd9c", "#8d7b5e"])
            )


def turbines(canvas: Canvas) -> None:
    """A mill at dusk with its lights on."""
    canvas.disc(250, 190, 46, "#f6d9a6")
    canvas.hills(400, 50, "#35506a", phase=1.2)
    canvas.hills(455, 30, "#294058", phase=3.0)
    for x in (700, 900, 1100):
        canvas.line([(x, 470), (x, 210)], "#16283b", 7)
        canvas.line([(x - 45, 245), (x + 45, 245)], "#16283b", 6)
    for dy in (0, 16):
        canvas.line(
            [
                (x, 246 + dy + 26 * math.sin((x - 500) / 200 * math.pi) ** 2)
                for x in range(500, 1201, 5)
            ],
            "#16283b",
            2.5,
        )
    canvas.box(0, 500, 1200, 175, "#1d5468")
    _house(canvas, 250, 520, 300, 210, "#d9c7a5")
    for column in range(3):
        for row in range(2):
            canvas.box(285 + column * 86, 345 + row * 85, 44, 54, "#ffce6b")
    for spoke in range(8):
        angle = spoke * math.pi / 4 + 0.2
        canvas.line(
            [(600, 500), (600 + 92 * math.cos(angle), 500 + 92 * math.sin(angle))], "#6d4b34", 10
        )
    ring = [
        (600 + 92 * math.cos(a / 30 * math.pi), 500 + 92 * math.sin(a / 30 * math.pi))
        for a in range(61)
    ]
    canvas.line(ring, "#6d4b34", 14)
    for row in range(6):
        y = 540 + row * 22
        canvas.line([(60 + row * 37, y), (420 + row * 60, y)], "#3f8198", 4)
        canvas.line([(700 + row * 13, y + 8), (1080 - row * 22, y + 8)], "#3f8198", 4)


def council(canvas: Canvas) -> None:
    """A town hall with a clock."""
    canvas.hills(430, 40, "#b7c7b5", phase=0.9)
    canvas.box(0, 520, 1200, 155, "#cdb99a")
    canvas.box(270, 300, 660, 230, "#e9dcc3")
    canvas.shape([(250, 300), (600, 205), (950, 300)], "#8c4a3c")
    canvas.box(535, 120, 130, 190, "#f1e7d2")
    canvas.shape([(520, 122), (600, 30), (680, 122)], "#6e382e")
    canvas.disc(600, 190, 42, "#ffffff")
    canvas.line([(600, 190), (600, 160)], "#333333", 5)
    canvas.line([(600, 190), (622, 200)], "#333333", 5)
    for column in range(8):
        x = 305 + column * 78
        if column in (3, 4):
            continue
        canvas.box(x, 345, 40, 62, "#54707a")
        canvas.box(x, 440, 40, 62, "#54707a")
    canvas.box(562, 420, 76, 110, "#5b3a35")
    for step in range(4):
        canvas.box(
            520 - step * 18,
            530 + step * 14,
            160 + step * 36,
            14,
            "#b9a27e" if step % 2 else "#c8b28f",
        )
    for x in (110, 190, 1010, 1100):
        canvas.line([(x, 560), (x, 430)], "#6a5540", 10)
        canvas.disc(x, 405, 52, "#7e9a6b")
        canvas.disc(x - 18, 390, 30, "#8fab7b")


def library(canvas: Canvas) -> None:
    """Lit windows at night, with readers."""
    stars = random.Random(3)  # noqa: S311
    for _ in range(70):
        canvas.disc(
            stars.uniform(0, 1200), stars.uniform(0, 190), stars.uniform(0.8, 2.2), "#c9d4ec"
        )
    canvas.box(130, 170, 940, 420, "#3b3349")
    canvas.box(110, 150, 980, 30, "#2b2537")
    canvas.box(0, 585, 1200, 90, "#1a1a28")
    for column in range(4):
        x = 180 + column * 220
        canvas.box(x, 225, 180, 290, "#ffdb8a")
        canvas.box(x, 225, 180, 60, "#f2c065")
        for book in range(9):
            colour = ("#8a3b3b", "#2f6f6a", "#d9a441", "#46568f")[(book * 3 + column) % 4]
            canvas.box(
                x + 8 + book * 19,
                238 + (book * 7 + column * 5) % 14,
                14,
                46 - (book * 7 + column * 5) % 14,
                colour,
            )
        canvas.box(x + 14, 440, 152, 10, "#7c5334")
        for seat in range(1 + column % 2, 3):
            cx = x + 25 + seat * 50
            canvas.disc(cx, 378, 17, "#4a3548")
            canvas.shape(
                [(cx - 28, 440), (cx - 18, 398), (cx + 18, 398), (cx + 28, 440)],
                ("#4d6f8f", "#87566b", "#5f7d54")[(seat + column) % 3],
            )
        canvas.box(x + 86, 225, 7, 290, "#3b3349")
        canvas.shape([(x - 6, 592), (x + 186, 592), (x + 250, 675), (x - 70, 675)], "#33304a")


def bridge(canvas: Canvas) -> None:
    """Four spans over a wide river."""
    canvas.hills(360, 44, "#a9c0c9", phase=2.6)
    canvas.hills(400, 26, "#89a7b1", phase=0.3)
    canvas.box(0, 420, 1200, 255, "#5a93a6")
    for row in range(9):
        y = 448 + row * 25
        for column in range(6):
            x = (column * 230 + row * 97) % 1300 - 60
            canvas.line([(x, y), (x + 90 + row * 6, y)], "#79adbd", 4)
    canvas.box(0, 300, 1200, 30, "#7a3f35")
    canvas.box(0, 292, 1200, 8, "#5b2f28")
    for span in range(4):
        left = span * 300
        arch = [
            (
                left + 150 - 150 * math.cos(a / 40 * math.pi),
                330 + 4 - 130 * math.sin(a / 40 * math.pi),
            )
            for a in range(41)
        ]
        canvas.line(arch, "#94544a", 16)
        for a in range(4, 40, 4):
            top = arch[a]
            canvas.line([top, (top[0], 300)], "#94544a", 4)
    for pier in range(0, 1201, 300):
        foot = [(pier - 26, 330), (pier + 26, 330), (pier + 34, 520), (pier - 34, 520)]
        canvas.shape(foot, "#c9bba2")
        canvas.box(pier - 46, 505, 92, 22, "#b3a489")


def market(canvas: Canvas) -> None:
    """Stalls under awnings, crates of apples."""
    canvas.box(0, 470, 1200, 205, "#c7b08a")
    for x, width, height, wall in (
        (0, 220, 250, "#d8cbb3"),
        (230, 170, 310, "#e4d3b4"),
        (410, 240, 230, "#cfc0a6"),
        (660, 190, 290, "#e0d0b6"),
        (860, 160, 240, "#d3c4aa"),
        (1030, 180, 300, "#e4d3b4"),
    ):
        _house(canvas, x, 480, width, height, wall)
    fruit = random.Random(11)  # noqa: S311
    for stall in range(3):
        x = 70 + stall * 380
        canvas.line([(x + 10, 610), (x + 10, 330)], "#6a4d36", 9)
        canvas.line([(x + 290, 610), (x + 290, 330)], "#6a4d36", 9)
        for stripe in range(10):
            colour = ("#b23a3a", "#2f6f6a", "#c98a2b")[stall] if stripe % 2 == 0 else "#fbf3e2"
            left = x - 14 + stripe * 33
            canvas.shape([(left + 8, 290), (left + 36, 290), (left + 33, 360), (left, 360)], colour)
            canvas.disc(left + 16.5, 360, 16.5, colour)
        canvas.box(x - 6, 500, 312, 26, "#8b6242")
        for crate in range(3):
            cx = x + 8 + crate * 100
            for _ in range(26):
                canvas.disc(
                    cx + fruit.uniform(12, 76),
                    486 + fruit.uniform(-20, 14),
                    13,
                    fruit.choice(["#c8382f", "#d9622f", "#8fae3f", "#b72b3a"]),
                )
            canvas.box(cx, 492, 88, 40, "#a9794d")
            canvas.line([(cx, 512), (cx + 88, 512)], "#8b6242", 3)
        canvas.box(x - 6, 532, 312, 84, "#7b5639")


def chart(canvas: Canvas) -> None:
    """Bars for nine months, the last a fifth higher. No words, so that it suits every language."""
    for line in range(5):
        canvas.line([(120, 130 + line * 105), (1090, 130 + line * 105)], "#d6dde0", 3)
    for month in range(9):
        x, height = 150 + month * 104, 250
        colour = "#6b9aa6"
        if month == 8:
            height, colour = 300, "#b2452f"
        canvas.box(x, 550 - height, 66, height, colour)
        canvas.box(x, 560, 66, 8, "#a9b6ba")
    canvas.line([(120, 300), (1090, 300)], "#44606a", 4)
    canvas.shape([(1015, 232), (1043, 190), (1071, 232)], "#b2452f")
    canvas.disc(1015, 110, 34, "#20313f")
    canvas.disc(1030, 100, 30, "#f5f7f6")


def storks(canvas: Canvas) -> None:
    """Birds in a meadow in fog."""
    canvas.disc(820, 210, 78, "#fff3d6")
    canvas.hills(400, 38, "#c4cfc8", phase=1.7)
    canvas.hills(450, 30, "#a9bba9", phase=0.2)
    canvas.hills(520, 22, "#8ba384", phase=2.9)
    blades = random.Random(5)  # noqa: S311
    for _ in range(260):
        x, y = blades.uniform(0, 1200), blades.uniform(560, 680)
        canvas.line(
            [(x, y), (x + blades.uniform(-8, 8), y - blades.uniform(14, 40))], "#6f8a63", 2.5
        )
    for x, y, size in (
        (220, 600, 1.0),
        (390, 570, 0.8),
        (620, 620, 1.15),
        (910, 580, 0.85),
        (1060, 610, 1.0),
    ):
        for leg in (-10, 12):
            canvas.line(
                [(x + leg * size, y), (x + leg * size, y - 105 * size)], "#c2452d", 5 * size
            )
        body = [
            (
                x + 74 * size * math.cos(a / 20 * math.pi),
                y - 125 * size + 34 * size * math.sin(a / 20 * math.pi),
            )
            for a in range(41)
        ]
        canvas.shape(body, "#fbfaf6")
        canvas.shape(
            [
                (x - 90 * size, y - 118 * size),
                (x + 10 * size, y - 140 * size),
                (x - 30 * size, y - 96 * size),
            ],
            "#22262b",
        )
        canvas.line(
            [(x + 56 * size, y - 138 * size), (x + 82 * size, y - 205 * size)], "#fbfaf6", 20 * size
        )
        canvas.disc(x + 85 * size, y - 212 * size, 17 * size, "#fbfaf6")
        canvas.shape(
            [
                (x + 96 * size, y - 219 * size),
                (x + 168 * size, y - 198 * size),
                (x + 96 * size, y - 205 * size),
            ],
            "#c2452d",
        )
        canvas.disc(x + 90 * size, y - 215 * size, 3 * size, "#22262b")


PICTURES: dict[str, tuple[Colour, Colour, Callable[[Canvas], None]]] = {
    "river": ("#e9ddc6", "#c8d5d2", river),
    "turbines": ("#26354f", "#d98f6a", turbines),
    "council": ("#bcd6e2", "#eef2ea", council),
    "library": ("#141a33", "#2b2c4d", library),
    "bridge": ("#f2e6d0", "#cfe0e4", bridge),
    "market": ("#a9cfe0", "#e8efe4", market),
    "chart": ("#f7f9f8", "#eef2f2", chart),
    "storks": ("#f3e6cf", "#d5ddd3", storks),
}


def logo() -> None:
    """Draw the logo: three waves in a rounded square on a transparent background."""
    size = 512
    image = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, size - 1, size - 1), radius=110, fill="#0f5c6e")
    for row, colour in enumerate(("#ffffff", "#a8d5dc", "#5fa9b6")):
        points = [(x, 160 + row * 100 + 34 * math.sin(x / 62 + row)) for x in range(70, 443, 3)]
        draw.line(points, fill=colour, width=44, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - 22, y - 22, x + 22, y + 22), fill=colour)
    image.resize((256, 256), Image.Resampling.LANCZOS).save(
        PICTURES_DIR / "logo.png", optimize=True
    )


def main() -> None:
    PICTURES_DIR.mkdir(exist_ok=True)
    for name, (top, bottom, draw) in PICTURES.items():
        canvas = Canvas(top, bottom)
        draw(canvas)
        canvas.save(f"{name}.jpg")
    logo()


if __name__ == "__main__":
    main()

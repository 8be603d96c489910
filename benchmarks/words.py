"""Generate the text of the message that all contenders send, the same in each run."""

from __future__ import annotations

import random

ARTICLES, PARAGRAPHS = 8, 3
TEXT = (
    "the week council after vote river market people asked border new law would not energy trade"
    " talks spokesman announced that region budget in of and its a by to for with over reform"
)


def text(seed: int, words: int) -> str:
    """Return random words; the same seed gives the same words."""
    draw = random.Random(seed)  # noqa: S311 - text, no secret
    return " ".join(draw.choices(TEXT.split(" "), k=words)).capitalize() + "."

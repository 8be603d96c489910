"""The text part's lines: wrapped, with single empty lines between paragraphs. Pure."""

from __future__ import annotations

import re
import textwrap

WIDTH = 74
"""Leaves room for a reply's quoting marks (RFC 3676, 4.2)."""


def wrap_lines(text: str) -> str:
    """`text` without trailing spaces or runs of empty lines; long lines wrapped between words.

    A wrapped line keeps its indentation; an address is never broken.
    """
    lines = [_wrapped(line.rstrip()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _wrapped(line: str) -> str:
    bullet = re.match(r"\s*(?:[*•-] |\d+\. )?", line)
    indent = " " * len(bullet[0]) if bullet else ""
    return textwrap.fill(
        line,
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )

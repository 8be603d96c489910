"""Wrap the lines of the text part, and leave single blank lines between paragraphs. Pure."""

from __future__ import annotations

import re
import textwrap

WIDTH = 74
"""Characters per line. Leaves room for the quote marks of replies (RFC 3676, 4.2)."""


def wrap_lines(text: str) -> str:
    """Wrap long lines between words, and remove trailing spaces and runs of blank lines.

    Wrapped lines keep their indentation. URLs are never broken.
    """
    lines = [_wrap(line.rstrip()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _wrap(line: str) -> str:
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

"""Wrap the lines of the text part, and leave single blank lines between paragraphs. Pure."""

from __future__ import annotations

import re
import textwrap

WIDTH = 74
"""Characters per line. Leaves room for the quote marks of replies (RFC 3676, 4.2)."""

_SIGNS = re.compile(r"\s*(?:> ?)*\s*(?:[*•-] |[0-9]+\. |[A-Za-z]{1,7}\. |\[[0-9]+\] |#{2,4} )?")
"""What a line may begin with: quote marks, and the sign of a list item, footnote or heading."""


def wrap_lines(text: str) -> str:
    """Wrap long lines between words, and remove trailing spaces and runs of blank lines.

    Wrapped lines keep their indentation and their quote marks. URLs are never broken.
    """
    lines = [_wrap(line.rstrip()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _wrap(line: str) -> str:
    if len(line) <= WIDTH:
        return line
    signs = _SIGNS.match(line)
    before = signs[0] if signs else ""
    # A letter and a full stop begin an item of a list only where it is indented.
    if re.match(r"[A-Za-z]", before):
        before = ""
    indent = re.sub(r"[^>\s]", " ", before)
    return textwrap.fill(
        line,
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )

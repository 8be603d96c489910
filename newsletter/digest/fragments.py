"""Shorten texts for previews, leads and preheaders."""

from __future__ import annotations


def excerpt(text: str, *, least: int, most: int) -> str:
    """Return `text` on one line, cut between words to at most `most` characters.

    The cut is after `least` characters, in the middle of a word if need be.
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    space = cut.rfind(" ", least)
    return (cut[:space] if space > 0 else cut).rstrip(" ,;:–—-.") + "…"

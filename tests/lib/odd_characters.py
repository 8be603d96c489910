"""The 20 characters of the table tests (H1)."""

from __future__ import annotations

REFUSED = (
    *("\0", "\x07", "\x1b", "\x7f", "\x80"),
    *("\u202e", "\ufffe", "\ufdd0", "\U0001ffff", "\ue000"),
)
"""Characters that no field takes."""

KEPT = ("\v", "\f", "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\u200d", "\u00ad", "\u2069")
"""Characters that a text may come with, and that it is stored without."""

SURROGATE = "\ud83d"
"""Only JSON can contain it: browsers and Django's form parser replace it."""

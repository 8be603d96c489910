"""A fragment of a text, and what a person sees of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fragment:
    name: str
    html: str
    words: str
    keeps: tuple[str, ...] = ()

"""Chains of languages: which of its languages an article is shown in. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable


def pick(chain: Iterable[str], available: Container[str]) -> str | None:
    """The first language of `chain` that is `available`; None where none is."""
    return next((language for language in chain if language in available), None)

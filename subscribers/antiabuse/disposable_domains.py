"""Disposable email domains (B6), from a list that the operator keeps. The default list is empty."""

from __future__ import annotations

from collections.abc import Collection


def is_listed(domain: str, listed: Collection[str]) -> bool:
    """Return whether an ACE domain, or one of its parent domains, is in the list."""
    parts = domain.split(".")
    return any(".".join(parts[start:]) in listed for start in range(len(parts) - 1))

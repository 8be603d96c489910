"""Throw-away mailboxes, by a list that the operator keeps (B6); with none, each domain will do."""

from __future__ import annotations

from collections.abc import Collection


def is_listed(domain: str, listed: Collection[str]) -> bool:
    """Whether an ACE domain, or one that it is below, is in the list."""
    parts = domain.split(".")
    return any(".".join(parts[start:]) in listed for start in range(len(parts) - 1))

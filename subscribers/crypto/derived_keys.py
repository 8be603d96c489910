"""Derive the web process's keys from its SECRET_KEY, one per purpose."""

from __future__ import annotations

from datetime import date
from hashlib import blake2b

from django.conf import settings


def key_for(purpose: str, day: date | None = None) -> bytes:
    """Return 32 bytes for a purpose. With a day, the key changes at midnight (UTC), so hashes of
    the day before can no longer be recognised."""
    text = f"{purpose}\0{day.isoformat() if day else ''}\0{settings.SECRET_KEY}"
    return blake2b(text.encode(), digest_size=32, person=b"tydzen-derived").digest()

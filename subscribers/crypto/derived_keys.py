"""Keys of the web process's own, made from its secret key: one per purpose."""

from __future__ import annotations

from datetime import date
from hashlib import blake2b

from django.conf import settings


def key_for(purpose: str, day: date | None = None) -> bytes:
    """32 bytes for one purpose; with a day, for that day only: it turns at midnight (UTC), and
    what was hashed under it the day before cannot be recognised any more."""
    text = f"{purpose}\0{day.isoformat() if day else ''}\0{settings.SECRET_KEY}"
    return blake2b(text.encode(), digest_size=32, person=b"tydzen-derived").digest()

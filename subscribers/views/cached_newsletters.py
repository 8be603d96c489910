"""An in-process cache of newsletters for sign-ups, which lasts a few seconds.

Newsletters change a few times a year. Querying the same two rows took half the time of a sign-up,
which would hurt in a flood of them. A page that shows the form still queries the database, and the
worker that processes a sign-up checks its languages against the newsletter of that moment.
"""

from __future__ import annotations

from time import monotonic

from newsletter.editorial.models import Newsletter

SECONDS = 5.0

_cache: dict[str, tuple[float, Newsletter]] = {}


def cached_newsletter(slug: str) -> Newsletter | None:
    """Return the newsletter with its translations, at most `SECONDS` old, or None. Don't change it.

    A slug that doesn't exist is looked up each time, so that nobody can fill the memory with slugs.
    """
    cached_at, found = _cache.get(slug, (0.0, None))
    if found is not None and monotonic() - cached_at < SECONDS:
        return found
    found = Newsletter.objects.prefetch_related("translations").filter(slug=slug).first()
    if found is None:
        _cache.pop(slug, None)
        return None
    _cache[slug] = (monotonic(), found)
    return found


def clear() -> None:
    """Empty the cache."""
    _cache.clear()

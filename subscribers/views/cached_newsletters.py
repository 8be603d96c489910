"""Newsletters as a form that comes in needs them, kept for some seconds in the process.

They change a few times a year, and a flood of sign-ups would ask the database for the same two rows
each time: that cost half of a sign-up. A page that shows the form asks the database; and the worker
that acts on a sign-up holds its languages against what is offered then.
"""

from __future__ import annotations

from time import monotonic

from newsletter.editorial.models import Newsletter

SECONDS = 5.0

_kept: dict[str, tuple[float, Newsletter]] = {}


def cached_newsletter(slug: str) -> Newsletter | None:
    """The one of this name with its translations, at most `SECONDS` old: not to be changed. What
    does not exist is looked up each time, so that nobody can fill the memory with names."""
    made, found = _kept.get(slug, (0.0, None))
    if found is not None and monotonic() - made < SECONDS:
        return found
    found = Newsletter.objects.prefetch_related("translations").filter(slug=slug).first()
    if found is None:
        _kept.pop(slug, None)
        return None
    _kept[slug] = (monotonic(), found)
    return found


def clear() -> None:
    """Ask the database again."""
    _kept.clear()

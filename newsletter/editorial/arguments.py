"""Look up what command-line arguments refer to."""

from __future__ import annotations

from django.core.management.base import CommandError

from newsletter.editorial.models import Newsletter


def newsletter_by_slug(slug: str) -> Newsletter:
    """Return the newsletter with this slug. Raises CommandError, which lists those that exist."""
    newsletter = Newsletter.objects.filter(slug=slug).first()
    if newsletter is None:
        known = ", ".join(Newsletter.objects.values_list("slug", flat=True))
        others = f"There is: {known}." if known else "There is none yet."
        raise CommandError(f"There is no newsletter “{slug}”. {others}")
    return newsletter

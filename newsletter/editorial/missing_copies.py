"""Make the smaller copies of pictures that have none yet: those of an import, for example."""

from __future__ import annotations

import logging
from time import monotonic

from django.core.exceptions import ValidationError

from newsletter.editorial.models import Picture
from newsletter.lib.sandbox import SandboxEndedError, SandboxError

log = logging.getLogger(__name__)


def make_missing(*, seconds: float) -> int:
    """Make copies for up to so many seconds; return for how many pictures they were made."""
    until, made = monotonic() + seconds, 0
    for picture in Picture.objects.filter(copies={}).order_by("-pk").iterator(chunk_size=50):
        if monotonic() >= until:
            break
        made += add_copies(picture)
    return made


def add_copies(picture: Picture) -> bool:
    """Make and store the picture's copies, if it has none. Return whether it has some now.

    A failure is logged, not raised: without copies, emails and pages use the picture itself.
    """
    if picture.copies:
        return True
    try:
        picture.make_copies()
    except (OSError, ValidationError, SandboxEndedError, SandboxError) as error:
        log.warning(
            "picture-copies-failed", extra={"picture": picture.pk, "error": type(error).__name__}
        )
        return False
    # Only if the row still has the file that the copies were made of.
    unchanged = Picture.objects.filter(pk=picture.pk, file=picture.file.name)
    unchanged.update(copies=picture.copies)
    return True

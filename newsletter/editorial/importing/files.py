"""Picture files that a document names, relative to its own folder."""

from __future__ import annotations

import io
from pathlib import Path

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from newsletter.editorial import pictures


def picture_bytes(name: str, *, base: Path) -> bytes:
    """Return the file's content.

    Raises ValueError if the file is missing, outside the folder, or not a picture.
    """
    path = (base / name).resolve()
    if not path.is_relative_to(base.resolve()):
        raise ValueError(_("must be in the same folder as the imported file."))
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror or error}
        raise ValueError(reason) from None
    try:
        pictures.check(content)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from None
    return content


def stored_picture(name: str, *, base: Path, folder: str = "pictures") -> str:
    """Store the picture once and return its name in the media storage."""
    return pictures.store(io.BytesIO(picture_bytes(name, base=base)), folder=folder).name

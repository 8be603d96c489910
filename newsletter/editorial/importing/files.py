"""Pictures that a document names, relative to its own folder."""

from __future__ import annotations

import io
from pathlib import Path

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from newsletter.editorial import pictures
from newsletter.editorial.importing.faults import Node


def picture_bytes(node: Node, *, base: Path) -> bytes:
    """The file's content. Raises DocumentError where it is missing, elsewhere, or no picture."""
    path = (base / node.text(required=True)).resolve()
    if not path.is_relative_to(base.resolve()):
        raise node.fault(_("must lie in the folder of the imported file."))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise node.fault(error.strerror or _("cannot be read.")) from None
    try:
        pictures.prepare(content)
    except ValidationError as error:
        raise node.fault(error.messages[0]) from None
    return content


def stored_picture(node: Node, *, base: Path, folder: str = "pictures") -> str:
    """The picture's name in the media storage; the same file is stored once."""
    return pictures.store(io.BytesIO(picture_bytes(node, base=base)), folder=folder)

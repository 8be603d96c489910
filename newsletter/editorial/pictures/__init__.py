"""Pictures: checked, stored without metadata, and copied in the sizes that emails and pages need.

A photo's metadata can contain the place where it was taken and the camera's serial number, which
may identify its author. Only the colour profile is kept.
"""

from newsletter.editorial.pictures.copies import Copies, Copy, make_copies
from newsletter.editorial.pictures.storing import (
    LARGEST_SIDE,
    StoredPicture,
    check,
    is_new,
    measure,
    media_type,
    prepare,
    store,
)

__all__ = [
    "LARGEST_SIDE",
    "Copies",
    "Copy",
    "StoredPicture",
    "check",
    "is_new",
    "make_copies",
    "measure",
    "media_type",
    "prepare",
    "store",
]

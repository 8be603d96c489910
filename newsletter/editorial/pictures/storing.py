"""Store pictures checked, without metadata, and named after a hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, ParamSpec, TypeVar

from django.core.files.base import ContentFile
from django.core.files.images import get_image_dimensions
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile

from newsletter.editorial.pictures import faults
from newsletter.lib import sandbox
from newsletter.lib.imaging import decoding
from newsletter.lib.imaging.decoding import StoredForm
from newsletter.lib.imaging.errors import UnusableImageError
from newsletter.lib.uploads import refuse_oversized

P = ParamSpec("P")
R = TypeVar("R")

LARGEST_SIDE = 1600
"""Pixels: enough for a page on a dense screen, and more than an email needs."""
LARGEST_LOGO_SIDE = 512
"""Pixels. A logo is shown 44 pixels high, and every email contains it."""
SIDES = {"pictures": LARGEST_SIDE, "newsroom": LARGEST_LOGO_SIDE}

TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
"""Formats in which pictures are stored. Every email app shows them."""


@dataclass(frozen=True)
class StoredPicture:
    """A file in the media storage; sizes are in pixels and bytes."""

    name: str
    width: int
    height: int
    size: int
    original_size: tuple[int, int] | None = None
    """Width and height before it was scaled down; None if the file had been stored before."""


def store(file: BinaryIO, *, folder: str) -> StoredPicture:
    """Store the picture, and return its name in the media storage and its size.

    The name is a hash of the content, so the same picture is stored once, and none is overwritten.
    Raises ValidationError if the file isn't a picture, is too large, or can't be written.
    """
    refuse_oversized(file)
    file.seek(0)
    content = file.read()
    stem = f"{folder}/{hashlib.sha256(content).hexdigest()[:32]}"
    for suffix in TYPES:
        if default_storage.exists(stem + suffix):
            return measure(stem + suffix)
    form = prepare(content, side=SIDES.get(folder, LARGEST_SIDE))
    name = write(stem + form.suffix, form.data)
    return StoredPicture(name, form.width, form.height, len(form.data), form.original_size)


def measure(name: str) -> StoredPicture:
    """Return the facts about a file that was stored before. Raises OSError if it is missing."""
    with default_storage.open(name) as file:
        width, height = get_image_dimensions(file)
        return StoredPicture(name, width or 0, height or 0, file.size)


def write(name: str, data: bytes) -> str:
    """Write a file and return its name. Raises ValidationError if it can't be written."""
    try:
        return default_storage.save(name, ContentFile(data))
    except OSError as error:
        raise faults.not_written(error) from None


def prepare(content: bytes, *, side: int = LARGEST_SIDE) -> StoredForm:
    """Return the form in which the picture is stored: upright, scaled down, without metadata.

    Raises ValidationError if the content isn't a picture.
    """
    return _decoded(decoding.stored_form, content, side=side)


def check(content: bytes) -> None:
    """Raise ValidationError if the content isn't a picture. Much faster than `prepare`."""
    _decoded(decoding.check, content)


def _decoded(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function of `imaging` in the sandbox: a decoder may crash or need a lot of memory."""
    try:
        return sandbox.run(function, *args, **kwargs)
    except UnusableImageError as error:
        raise faults.as_validation_error(error) from None
    except sandbox.SandboxEndedError:
        raise faults.ended_in_sandbox() from None


def is_new(file: FieldFile) -> bool:
    """Return whether the file was just uploaded. All stored files went through `store`."""
    return not getattr(file, "_committed", True)


def media_type(name: str) -> str:
    """Return the media type of a stored picture."""
    return TYPES.get(PurePosixPath(name).suffix, "image/jpeg")

"""Pictures as they are stored: looked through, without metadata, under a name of their own.

A photo's metadata can hold the place where it was taken and the camera's number, which may lead
to its author. Nothing of it is kept but the colour profile.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from PIL import Image

LARGEST_SIDE = 1600
"""Pixels: twice the width of a mail, enough for a page."""

TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
"""Pictures are stored as one of these, which every mail program shows."""


def store(file: BinaryIO, *, folder: str) -> str:
    """Store the picture once; return its name in the media storage.

    The name follows from the content, so the same picture is never stored twice and none is
    overwritten. Raises ValidationError where the file is no picture.
    """
    file.seek(0)
    content = file.read()
    stem = f"{folder}/{hashlib.sha256(content).hexdigest()[:32]}"
    for suffix in TYPES:
        if default_storage.exists(stem + suffix):
            return stem + suffix
    suffix, data = prepare(content)
    return default_storage.save(stem + suffix, ContentFile(data))


def prepare(content: bytes) -> tuple[str, bytes]:
    """(suffix, bytes) of the picture upright, at most LARGEST_SIDE, without metadata."""
    # Loaded at its first use: a process that only sends is 2 MB smaller without it.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that unpacks to gigabytes.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.open(io.BytesIO(content)).verify()
            image = Image.open(io.BytesIO(content))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            if image.format in {"JPEG", "MPO", "WEBP"} and not image.has_transparency_data:
                return ".jpg", _encoded(upright, "L" if image.mode == "L" else "RGB", "JPEG")
            mode = "RGBA" if image.has_transparency_data else "RGB"
            return ".png", _encoded(upright, mode, "PNG")
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise ValidationError(
            _("This file is not a picture, or it is damaged. Use JPEG, PNG, WebP or GIF."),
            code="no_picture",
        ) from None


def _encoded(image: Image.Image, mode: str, encoding: str) -> bytes:
    profile = image.info.get("icc_profile") if image.mode == mode else None
    from PIL import Image

    # A new image: what is attached to the old one (EXIF, XMP, comments) stays behind.
    bare = Image.new(mode, image.size)
    bare.paste(image.convert(mode))
    out = io.BytesIO()
    bare.save(out, encoding, quality=86, optimize=True, icc_profile=profile)
    return out.getvalue()


def is_new(file: FieldFile) -> bool:
    """Whether the file was just given: what is in the storage went through `store`."""
    return not getattr(file, "_committed", True)


def media_type(name: str) -> str:
    """The media type of a stored picture, by its name."""
    return TYPES.get(PurePosixPath(name).suffix, "image/jpeg")

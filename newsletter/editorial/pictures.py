"""Store pictures checked, without metadata, and named after a hash of their content.

A photo's metadata can contain the place where it was taken and the camera's serial number, which
may identify its author. Only the colour profile is kept.
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
"""Pixels: twice the width of an email, and enough for a page."""

TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
"""Formats in which pictures are stored. Every email app shows them."""


def store(file: BinaryIO, *, folder: str) -> str:
    """Store the picture and return its name in the media storage.

    The name is a hash of the content, so the same picture is stored once, and none is overwritten.
    Raises ValidationError if the file isn't a picture.
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
    """Return the suffix and bytes of the picture: upright, scaled down, and without metadata.

    Raises ValidationError if the content isn't a picture.
    """
    # Imported on first use: processes that only send are 2 MB smaller without it.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # By default, Pillow only warns about a picture that unpacks to gigabytes.
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
            code="not_a_picture",
        ) from None


def _encoded(image: Image.Image, mode: str, encoding: str) -> bytes:
    profile = image.info.get("icc_profile") if image.mode == mode else None
    from PIL import Image

    # A new image has none of the metadata (EXIF, XMP, comments).
    bare = Image.new(mode, image.size)
    bare.paste(image.convert(mode))
    out = io.BytesIO()
    bare.save(out, encoding, quality=86, optimize=True, icc_profile=profile)
    return out.getvalue()


def is_new(file: FieldFile) -> bool:
    """Return whether the file was just uploaded. All stored files went through `store`."""
    return not getattr(file, "_committed", True)


def media_type(name: str) -> str:
    """Return the media type of a stored picture."""
    return TYPES.get(PurePosixPath(name).suffix, "image/jpeg")

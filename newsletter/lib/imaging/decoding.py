"""Decode a picture safely, and bring it to the form in which it is stored."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.lib.imaging.errors import Fault, UnusableImageError
from newsletter.lib.imaging.file_types import file_type

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""Formats that are accepted. Pillow is told to try no other:
it knows formats that start programs or have seldom been attacked on purpose."""
MAX_PIXELS = 64_000_000
"""A camera's 61 megapixels are accepted. At 4 bytes a pixel, a PNG takes 256 MB while it is scaled.
A JPEG takes less than 100 MB, or up to 400 MB if it is progressive."""
MAX_PROFILE_BYTES = 20_000
"""A larger colour profile is applied instead of kept: it would outweigh a small picture."""
_PROBE_SIDE = 64
_DRAFT_MARGIN = 1.2
"""How much larger than wanted a JPEG is decoded at least, so that scaling it is smooth."""


@dataclass(frozen=True)
class StoredForm:
    """A picture as it is stored: upright, without metadata, a JPEG or a PNG."""

    suffix: str
    """".jpg" or ".png"."""
    data: bytes
    width: int
    height: int
    original_size: tuple[int, int]
    """Width and height of the file that was read, upright."""


def check(content: bytes) -> None:
    """Decode the picture without keeping it. Raises UnusableImageError.

    It is several times faster than `stored_form`, and finds the same faults.
    """
    with _opened(content) as image:
        image.draft(None, (_PROBE_SIDE, _PROBE_SIDE))
        image.load()


def stored_form(content: bytes, *, side: int) -> StoredForm:
    """Return the picture, at most `side` pixels wide and high. Raises UnusableImageError."""
    from PIL import ImageOps

    with _opened(content) as image:
        original = image.size
        is_photo = image.format in {"JPEG", "MPO", "WEBP"} and not image.has_transparency_data
        # Scaled before it is turned, so that the large picture is in memory only once.
        upright = _scaled(image, side)
        scaled = upright.size
        ImageOps.exif_transpose(upright, in_place=True)
        if (upright.width > upright.height) != (scaled[0] > scaled[1]):
            original = (original[1], original[0])
        if is_photo:
            suffix, data = ".jpg", _jpeg(upright)
        else:
            suffix, data = ".png", _png(upright)
        return StoredForm(suffix, data, upright.width, upright.height, original)


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """Open the picture, and raise UnusableImageError for whatever goes wrong inside the block."""
    # Imported on first use: processes that only send are 2 MB smaller without it.
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise UnusableImageError(Fault.EMPTY, {})
    found = ""
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a frame that is larger than the header says.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                found = image.format or ""
                if image.width * image.height > MAX_PIXELS:
                    raise _too_many_pixels(image.width, image.height)
                yield image
    except UnidentifiedImageError:
        raise _unusable(content, found) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(*_declared_size(content)) from None
    except (OSError, SyntaxError, ValueError, MemoryError, EOFError, IndexError, TypeError):
        # What Pillow raises for damaged files, depending on where the damage is.
        raise _unusable(content, found) from None


def _declared_size(content: bytes) -> tuple[int, int]:
    """Return the size in the header of a picture that Pillow refuses to open as too large."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return image.size
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _too_many_pixels(width: int, height: int) -> UnusableImageError:
    return UnusableImageError(Fault.TOO_MANY_PIXELS, {"width": width, "height": height})


def _unusable(content: bytes, image_format: str) -> UnusableImageError:
    """Return the error for content that was recognized as `image_format`, or not at all ("")."""
    name = image_format or _format_by_signature(content)
    if name:
        shown = {"MPO": "JPEG", "WEBP": "WebP"}.get(name, name)
        return UnusableImageError(Fault.DAMAGED, {"format": shown})
    return UnusableImageError(Fault.OTHER_TYPE, {"type": str(file_type(content))})


def _format_by_signature(content: bytes) -> str:
    """Return the format that the file begins like, even if its header is cut off; or ""."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    signatures = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF"}
    return next((name for start, name in signatures.items() if content.startswith(start)), "")


def _scaled(image: Image.Image, side: int) -> Image.Image:
    """Return the picture in a mode that can be encoded, scaled to fit. Changes `image`."""
    # A JPEG's decoder can leave out detail that scaling would remove anyway: 40 megapixels then
    # take 8 MB, not 120. With other proportions than the picture's own, it leaves out less.
    share = _DRAFT_MARGIN * side / max(image.size)
    image.draft(None, (max(1, int(image.width * share)), max(1, int(image.height * share))))
    image.load()
    if image.mode.startswith("I"):
        # 16 bits a pixel: converted directly, everything above 255 would become white.
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode not in {"L", "RGB", "RGBA", "CMYK"}:
        # A palette can't be scaled smoothly.
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in {"L", "RGB"} and "transparency" in image.info:
        image = image.convert("RGBA")
    image.thumbnail((side, side))
    return image


def _jpeg(image: Image.Image) -> bytes:
    # Without Pillow's `optimize`, it is 3 % larger and takes half the time.
    return encoded(image, "L" if image.mode == "L" else "RGB", "JPEG", quality=86)


def _png(image: Image.Image) -> bytes:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    return encoded(image, mode, "PNG", compress_level=7)


def encoded(image: Image.Image, mode: str, encoding: str, **options: object) -> bytes:
    """Return the picture without metadata. Only a small colour profile is kept."""
    from PIL import Image

    profile = image.info.get("icc_profile") or b""
    if profile and (image.mode != mode or len(profile) > MAX_PROFILE_BYTES):
        image, profile = in_srgb(image), b""
    # A new image has none of the metadata (EXIF, XMP, comments). Its pixels need no colour first,
    # because all of them are pasted over.
    bare = Image.new(mode, image.size, None)
    bare.paste(image if image.mode == mode else image.convert(mode))
    out = io.BytesIO()
    bare.save(out, encoding, icc_profile=profile or None, **options)
    return out.getvalue()


def in_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in sRGB, which is what viewers assume if there is no profile."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile or image.mode == "L":
        return image
    try:
        mode = "RGB" if image.mode == "CMYK" else image.mode
        source, target = io.BytesIO(profile), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # The profile is damaged or for another kind of picture; most apps ignore it.
    return image if converted is None else converted

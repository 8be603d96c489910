"""Smaller copies of a stored picture: one for emails, and a set of widths for the site."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.lib.imaging.decoding import in_srgb

if TYPE_CHECKING:
    from PIL import Image

SITE_QUALITY = 80
BEST_QUALITY, LOWEST_QUALITY = 85, 45
"""Of a JPEG in an email. Below, artefacts show; a narrower picture looks better."""
_NARROWER = 0.85
_MIN_WIDTH = 64


@dataclass(frozen=True)
class SmallerCopy:
    """A copy of a picture. `width` and `height` are in pixels."""

    suffix: str
    data: bytes
    width: int
    height: int


def email_copy(content: bytes, *, width: int, most_bytes: int) -> SmallerCopy:
    """Return a copy that is at most `width` pixels wide and has at most `most_bytes` bytes.

    It is a JPEG unless the picture has transparent parts, or is a graphic of which a PNG is smaller
    and sharper. Its quality is lowered first, then its width.
    """
    image = _opened(content)
    transparent = _has_transparent_parts(image)
    source = image.convert("RGBA" if transparent else _opaque_mode(image))
    for step in _widths(min(width, image.width)):
        small = _at_width(source, step)
        data, suffix = _smallest(small, most_bytes) if transparent else _opaque(small, most_bytes)
        if len(data) <= most_bytes or step <= _MIN_WIDTH:
            return SmallerCopy(suffix, data, small.width, small.height)
    raise AssertionError("The last step returns.")


def site_copies(content: bytes, *, widths: Sequence[int]) -> list[SmallerCopy]:
    """Return a copy for each of the widths that is smaller than the picture's own."""
    image = _opened(content)
    transparent = _has_transparent_parts(image)
    source = image.convert("RGBA" if transparent else _opaque_mode(image))
    copies = []
    for width in sorted(width for width in widths if width < image.width):
        small = _at_width(source, width)
        png = _png(small) if transparent or _is_graphic(small) else b""
        jpeg = b"" if transparent else _jpeg(small, SITE_QUALITY)
        data, suffix = (jpeg, ".jpg") if jpeg and not 0 < len(png) < len(jpeg) else (png, ".png")
        copies.append(SmallerCopy(suffix, data, small.width, small.height))
    return copies


def _opened(content: bytes) -> Image.Image:
    """Open a picture that was stored, so that it needs no more checks."""
    from PIL import Image

    image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
    image.load()
    return in_srgb(image)


def _opaque_mode(image: Image.Image) -> str:
    return "L" if image.mode == "L" else "RGB"


def _has_transparent_parts(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    extremes = image.convert("RGBA").getchannel("A").getextrema()
    return extremes[0] != 255


def _widths(first: int) -> Iterator[int]:
    """Yield ever smaller widths, down to the smallest that is worth trying."""
    width = float(first)
    while width > _MIN_WIDTH:
        yield round(width)
        width *= _NARROWER
    yield min(first, _MIN_WIDTH)


def _at_width(image: Image.Image, width: int) -> Image.Image:
    from PIL import Image

    if width >= image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _opaque(image: Image.Image, most_bytes: int) -> tuple[bytes, str]:
    jpeg = _best_quality(lambda quality: _jpeg(image, quality), most_bytes)
    if _is_graphic(image):
        png = _png(image)
        if len(png) <= min(len(jpeg), most_bytes):
            return png, ".png"
    return jpeg, ".jpg"


def _smallest(image: Image.Image, most_bytes: int) -> tuple[bytes, str]:
    """Return a PNG; with at most 256 colours, if it is too large otherwise."""
    from PIL import Image

    data = _png(image)
    if len(data) > most_bytes:
        data = _png(image.quantize(256, method=Image.Quantize.FASTOCTREE))
    return data, ".png"


def _best_quality(encode: Callable[[int], bytes], most_bytes: int) -> bytes:
    """Return the encoding with the highest quality that fits, or else the lowest quality."""
    low, high, best = LOWEST_QUALITY, BEST_QUALITY, b""
    data = encode(high)
    if len(data) <= most_bytes:
        return data
    while low < high:
        middle = (low + high) // 2
        data = encode(middle)
        if len(data) <= most_bytes:
            best, low = data, middle + 1
        else:
            high = middle
    return best or data


def _is_graphic(image: Image.Image) -> bool:
    """Return whether the picture has so few colours that a PNG may be smaller than a JPEG."""
    return image.getcolors(4096) is not None


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    # None, or else Pillow would write the profile that the picture no longer needs.
    image.save(out, "PNG", optimize=True, icc_profile=None)
    return out.getvalue()

"""Pictures for tests: photographs of a real size, and files that must be refused."""

from __future__ import annotations

import io
import random
import struct
import zlib

from django.core.files.base import ContentFile
from PIL import Image

from newsletter.editorial.models import Picture


def photograph(
    width: int, height: int, *, encoding: str = "JPEG", detail: int = 24, seed: int = 1
) -> ContentFile[bytes]:
    """Return a picture with gradients and noise, about as hard to compress as a photograph.

    With more `detail`, the same size has more bytes: 2400 × 1600 with 60 is about 3 MB.
    """
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.radial_gradient("L").resize((width, height))
    blue = red.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    smooth = Image.merge("RGB", (red, green, blue))
    if not detail:
        return _encoded(smooth, encoding, seed)
    rng = random.Random(seed)  # noqa: S311
    noise = Image.frombytes("L", (512, 512), rng.randbytes(512 * 512))
    tiled = Image.new("L", (width, height))
    for left in range(0, width, 512):
        for top in range(0, height, 512):
            tiled.paste(noise, (left, top))
    noisy = Image.merge("RGB", (tiled, tiled, tiled))
    return _encoded(Image.blend(smooth, noisy, detail / 255), encoding, seed)


def figure(picture: Picture, alt: str = "A river") -> str:
    """Return the stored HTML of a picture inside a text."""
    return f'<figure><img src="/media/{picture.file.name}" alt="{alt}"></figure>'


def _encoded(image: Image.Image, encoding: str, seed: int) -> ContentFile[bytes]:
    out = io.BytesIO()
    image.save(out, encoding, quality=95)
    return ContentFile(out.getvalue(), name=f"river {seed}.{encoding.lower()}")


def png_of(width: int, height: int, *, data: bytes = b"") -> bytes:
    """Return a PNG whose header names this size, however little data there is."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(data))
        + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum

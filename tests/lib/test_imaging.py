"""Decoding pictures: what is refused and why, in bounded memory; and copies within their limits."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib

import pytest
from PIL import Image, ImageCms

from newsletter.lib.imaging.decoding import MAX_PIXELS, check, stored_form
from newsletter.lib.imaging.errors import Fault, UnusableImageError
from newsletter.lib.imaging.file_types import FileType, file_type
from newsletter.lib.imaging.sizes import email_copy, site_copies
from tests.pictures import photograph, png_chunk, png_of

OTHERS = {
    b"<?xml version='1.0'?><!-- c --><svg xmlns='http://www.w3.org/2000/svg'/>": FileType.SVG,
    b"\xef\xbb\xbf<svg:svg >": FileType.SVG,
    b"<!DOCTYPE html><p>Not found</p>": FileType.HTML,
    b"%PDF-1.7 \x00": FileType.PDF,
    b"\x00\x00\x00\x18ftypheic\x00": FileType.HEIC,
    b"\x00\x00\x00\x18ftypavif\x00": FileType.AVIF,
    b"\x00\x00\x00\x18ftypmp42\x00": FileType.VIDEO,
    b"II*\x00\x08\x00\x00\x00": FileType.TIFF,
    b"8BPS\x00\x01": FileType.PSD,
    b"PK\x03\x04\x14\x00": FileType.ARCHIVE,
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%Creator: (x) run": FileType.POSTSCRIPT,
    "Сённяшнія нататкі".encode(): FileType.TEXT,
    "Сегодня".encode("cp1251"): FileType.TEXT,
    "Сегодня".encode("utf-16"): FileType.TEXT,
    b"\x00\x01\x02\x03": FileType.UNKNOWN,
}


@pytest.mark.parametrize("content", OTHERS)
def test_a_file_is_named_after_what_it_is(content: bytes) -> None:
    assert file_type(content) == OTHERS[content]
    for function in (check, lambda data: stored_form(data, side=1600)):
        with pytest.raises(UnusableImageError) as caught:
            function(content)
        assert caught.value.fault == Fault.OTHER_TYPE
        assert caught.value.facts == {"type": OTHERS[content]}


@pytest.mark.parametrize("encoding", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_a_picture_that_breaks_off_is_damaged(encoding: str, part: float) -> None:
    content = photograph(300, 200, encoding=encoding).read()
    with pytest.raises(UnusableImageError) as caught:
        stored_form(content[: int(len(content) * part)], side=1600)
    assert caught.value.fault == Fault.DAMAGED
    assert str(caught.value.facts["format"]).upper() == encoding


# A header of 100,000 × 100,000 pixels, RGB, promises 30 GB.
@pytest.mark.parametrize("size", [(100_000, 100_000), (10_000, 10_000), (8001, 8000)])
def test_too_many_pixels_are_refused_before_they_are_decoded(size: tuple[int, int]) -> None:
    for function in (check, lambda data: stored_form(data, side=1600)):
        with pytest.raises(UnusableImageError) as caught:
            function(png_of(*size))
        assert caught.value.fault == Fault.TOO_MANY_PIXELS
        assert caught.value.facts == {"width": size[0], "height": size[1]}


def test_metadata_that_unpacks_to_gigabytes_is_never_unpacked() -> None:
    """A compressed text or colour profile in a PNG may be a thousand times larger than it looks."""
    bomb = zlib.compress(b"\0" * 300_000_000)
    for kind, head in ((b"zTXt", b"Comment\0\0"), (b"iCCP", b"profile\0\0")):
        picture = png_of(4, 4, data=b"\0" * 4 * 13)
        content = picture[:33] + png_chunk(kind, head + bomb) + picture[33:]
        refused, stored = "", b""
        try:
            stored = stored_form(content, side=1600).data
        except UnusableImageError as error:
            refused = error.fault
        assert refused == Fault.DAMAGED or 0 < len(stored) < 1000


@pytest.mark.slow
@pytest.mark.parametrize(("encoding", "most_mb"), [("JPEG", 90), ("PNG", 320)])
def test_a_cameras_40_megapixels_are_scaled_in_bounded_memory(encoding: str, most_mb: int) -> None:
    content = photograph(7728, 5152, encoding=encoding, detail=0).read()
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from newsletter.lib.imaging.decoding import stored_form\n"
        "form = stored_form(sys.stdin.buffer.read(), side=1600)\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "print(form.width, form.height, *form.original_size, int(peak) // 1000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=content, capture_output=True, check=True
    )
    *sizes, peak = map(int, done.stdout.split())
    assert sizes == [1600, 1067, 7728, 5152]
    assert peak < most_mb + len(content) / 1e6


def test_an_upright_picture_remembers_its_original_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90°
    out = io.BytesIO()
    Image.new("RGB", (3000, 2000), "#336699").save(out, "JPEG", exif=exif)
    form = stored_form(out.getvalue(), side=1600)
    assert (form.width, form.height, form.original_size) == (1067, 1600, (2000, 3000))


def test_sixteen_bits_a_pixel_keep_their_shades() -> None:
    out = io.BytesIO()
    Image.new("I;16", (40, 30), 30_000).save(out, "PNG")
    image = Image.open(io.BytesIO(stored_form(out.getvalue(), side=1600).data))
    assert image.convert("L").getpixel((5, 5)) == pytest.approx(117, abs=1)


def test_a_large_colour_profile_is_applied_instead_of_kept() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for padding, is_kept in ((0, True), (30_000, False)):
        out = io.BytesIO()
        Image.new("RGB", (40, 30), "#336699").save(
            out, "PNG", icc_profile=profile + b"\0" * padding
        )
        image = Image.open(io.BytesIO(stored_form(out.getvalue(), side=1600).data))
        assert bool(image.info.get("icc_profile")) == is_kept


@pytest.mark.parametrize("detail", [8, 60, 255])
def test_a_photo_in_an_email_is_within_both_limits(detail: int) -> None:
    """H4: its quality is lowered first, then its width."""
    content = stored_form(photograph(1600, 1067, detail=detail).read(), side=1600).data
    copy = email_copy(content, width=1104, most_bytes=110_000)
    assert copy.suffix == ".jpg"
    assert len(copy.data) <= 110_000
    image = Image.open(io.BytesIO(copy.data))
    assert image.size == (copy.width, copy.height)
    assert image.width == 1104 if detail == 8 else image.width <= 1104
    assert image.height == pytest.approx(image.width * 1067 / 1600, abs=1)


def test_a_transparent_picture_stays_transparent_within_the_limit() -> None:
    image = Image.open(photograph(1400, 900, detail=90)).convert("RGBA")
    image.putalpha(Image.radial_gradient("L").resize(image.size))
    out = io.BytesIO()
    image.save(out, "PNG")
    content = stored_form(out.getvalue(), side=1600).data
    copy = email_copy(content, width=1104, most_bytes=110_000)
    assert (copy.suffix, len(copy.data) <= 110_000) == (".png", True)
    assert Image.open(io.BytesIO(copy.data)).has_transparency_data
    assert {each.suffix for each in site_copies(content, widths=[320, 640])} == {".png"}


def test_a_drawing_stays_sharp_and_an_opaque_photo_becomes_a_jpeg() -> None:
    drawing = io.BytesIO()
    Image.new("RGB", (1400, 900), "#8a1c1c").save(drawing, "PNG")
    assert email_copy(drawing.getvalue(), width=1104, most_bytes=110_000).suffix == ".png"
    opaque = Image.open(photograph(1400, 900)).convert("RGBA")
    out = io.BytesIO()
    opaque.save(out, "PNG")
    assert email_copy(out.getvalue(), width=1104, most_bytes=110_000).suffix == ".jpg"


def test_the_site_gets_each_width_that_is_smaller_than_the_picture() -> None:
    copies = site_copies(photograph(1000, 500).read(), widths=[1280, 320, 640, 960])
    assert [(copy.width, copy.height) for copy in copies] == [(320, 160), (640, 320), (960, 480)]
    assert sum(len(copy.data) for copy in copies) < 400_000


def test_the_limit_admits_the_cameras_that_newsrooms_have() -> None:
    assert 7728 * 5152 < 9504 * 6336 < MAX_PIXELS < 100_000_000


def test_nothing_but_the_pixels_of_a_jpeg_is_stored() -> None:
    """EXIF with a place, XMP, IPTC, comments, thumbnails, and whatever follows the picture."""

    def segment(marker: int, data: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data

    exif = Image.Exif()
    exif[0x010F] = "secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (53.0, 54.0, 27.0)
    plain = photograph(400, 300).read()
    image = Image.open(io.BytesIO(plain))
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"secret comment", quality=90)
    head, rest = out.getvalue()[:2], out.getvalue()[2:]
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>secret place</x:xmpmeta>"
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0bsecret name"
    segments = [segment(0xE1, xmp), segment(0xED, iptc)]
    segments += [segment(0xE0 + n, b"secret %d" % n) for n in range(3, 16)]
    content = head + b"".join(segments) + rest + b"secret end" + plain
    assert content.count(b"secret") > 15
    data = stored_form(content, side=1600).data
    assert b"secret" not in data
    markers = []
    at = 2
    while data[at + 1] != 0xDA:  # start of scan
        markers.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    # JFIF's header, tables and the frame; no other application segment and no comment (0xFE).
    assert set(markers) == {0xE0, 0xDB, 0xC0, 0xC4}
    assert data.index(b"\xff\xd9", at) == len(data) - 2
    stored = Image.open(io.BytesIO(data))
    assert not dict(stored.getexif())
    assert set(stored.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}

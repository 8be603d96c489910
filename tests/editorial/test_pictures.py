"""Storing pictures: without metadata, once, and in formats that every email app shows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image

from newsletter.editorial.models import Newsroom, Picture
from newsletter.editorial.pictures import LARGEST_SIDE
from tests.editorial.test_content import draw_picture


def photo_with_metadata() -> ContentFile[bytes]:
    """Return a JPEG whose EXIF data names a camera and a place."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of a reporter"
    exif.get_ifd(0x8825)[2] = (53.0, 54.0, 27.0)
    exif[0x0112] = 6  # rotated by 90°
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "#336699").save(out, "JPEG", exif=exif, comment=b"by A. Reporter")
    assert b"reporter" in out.getvalue()
    return ContentFile(out.getvalue(), name="IMG_1234 by A Reporter.jpg")


@pytest.mark.django_db
def test_metadata_and_the_original_file_name_are_removed(media: Path) -> None:
    picture = Picture.objects.create(file=photo_with_metadata())
    stored = (media / str(picture.file.name)).read_bytes()
    assert b"eporter" not in stored
    image = Image.open(io.BytesIO(stored))
    assert not dict(image.getexif())
    assert "eporter" not in str(picture.file.name)
    assert image.size == (picture.width, picture.height) == (40, 60)


@pytest.mark.django_db
def test_the_same_picture_is_stored_once_and_never_overwritten(media: Path) -> None:
    first, second = (Picture.objects.create(file=draw_picture()) for _ in range(2))
    assert first.file.name == second.file.name
    other = Picture.objects.create(file=draw_picture(size=(10, 10)))
    assert other.file.name != first.file.name
    assert len(list((media / "pictures").iterdir())) == 2
    first.credit = "A. Pen"
    first.save()
    assert len(list((media / "pictures").iterdir())) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("encoding", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("GIF", ".png"), ("WEBP", ".jpg")]
)
def test_pictures_are_stored_as_jpeg_or_png(encoding: str, suffix: str) -> None:
    picture = Picture.objects.create(file=draw_picture(encoding=encoding))
    assert str(picture.file.name).endswith(suffix)


@pytest.mark.django_db
def test_a_large_picture_is_scaled_down() -> None:
    picture = Picture.objects.create(file=draw_picture(size=(4000, 1000)))
    assert (picture.width, picture.height) == (LARGEST_SIDE, LARGEST_SIDE // 4)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
)
def test_a_file_that_is_not_a_picture_is_refused(content: bytes, newsroom: Newsroom) -> None:
    picture = Picture(file=ContentFile(content, name="x.png"))
    with pytest.raises(ValidationError, match="not a picture"):
        picture.full_clean()
    newsroom.logo = ContentFile(content, name="x.png")
    with pytest.raises(ValidationError, match="not a picture"):
        newsroom.save()
    assert not Picture.objects.exists()

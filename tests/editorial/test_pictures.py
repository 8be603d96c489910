"""Storing pictures: without metadata, once, and in formats that every email app shows."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from PIL import Image

from newsletter.editorial.models import Newsroom, Picture
from newsletter.editorial.pictures import LARGEST_SIDE
from newsletter.lib.media_storage import AtomicFileSystemStorage
from tests.editorial.test_content import draw_picture
from tests.pictures import photograph


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
    assert len(list((media / "pictures").iterdir())) == 2  # too small for copies
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


@pytest.mark.django_db
def test_the_database_refuses_a_picture_without_a_file() -> None:
    """H4, issue 12: whatever the form does, no row is stored without a file."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.create(credit="A. Pen")
    with pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.bulk_create([Picture(credit="A. Pen")])
    picture = Picture.objects.create(file=draw_picture())
    with pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.update(file="")
    assert Picture.objects.get() == picture


class _FullDisk(AtomicFileSystemStorage):
    error = errno.ENOSPC

    def _save(self, name: str, content: Any) -> str:
        raise OSError(self.error, os.strerror(self.error))


class _ReadOnlyDisk(_FullDisk):
    error = errno.EROFS


@pytest.mark.parametrize(
    ("disk", "words"),
    [(_FullDisk, "disk is full"), (_ReadOnlyDisk, "The reason: Read-only file system")],
)
def test_a_disk_that_takes_nothing_is_reported_at_the_field(
    disk: type[_FullDisk], words: str, settings: Any, newsroom: Newsroom
) -> None:
    backend = f"{__name__}.{disk.__name__}"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend}}
    with pytest.raises(ValidationError, match=words) as caught:
        Picture(file=draw_picture()).full_clean()
    assert set(caught.value.message_dict) == {"file"}
    newsroom.logo = draw_picture()
    with pytest.raises(ValidationError, match=words):
        newsroom.full_clean()
    assert not Picture.objects.exists()


def test_a_logo_is_small_enough_for_each_email(newsroom: Newsroom, media: Path) -> None:
    newsroom.logo = photograph(2000, 1000)
    newsroom.save()
    image = Image.open(io.BytesIO((media / str(newsroom.logo.name)).read_bytes()))
    assert image.size == (512, 256)


@pytest.mark.django_db
def test_a_picture_is_named_after_its_file() -> None:
    file = photograph(40, 30)
    file.name = "Ніжняя\u2028 Вяліка .jpg"
    assert Picture.objects.create(file=file).name == "Ніжняя Вяліка"
    assert Picture.objects.create(file=photograph(40, 30), name="River").name == "River"


@pytest.mark.django_db
@pytest.mark.sandbox
def test_a_broken_picture_does_not_reach_this_process() -> None:
    with pytest.raises(ValidationError, match="not a picture"):
        Picture(file=ContentFile(b"text", name="x.png")).full_clean()
    assert Picture.objects.create(file=photograph(700, 500)).copies["site"]

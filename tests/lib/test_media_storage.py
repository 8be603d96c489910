"""A file in the media folder is complete or not there at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


class _DiskFillsUp(ContentFile[bytes]):
    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"half of "
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_stored_with_djangos_permissions_and_nothing_beside_it(media: Path) -> None:
    name = default_storage.save("pictures/a.png", ContentFile(b"whole"))
    assert [path.name for path in (media / "pictures").iterdir()] == ["a.png"]
    assert (media / name).read_bytes() == b"whole"
    assert (media / name).stat().st_mode & 0o777 == 0o644


def test_half_a_file_never_stays(media: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        default_storage.save("pictures/a.png", _DiskFillsUp(b""))
    assert list((media / "pictures").iterdir()) == []

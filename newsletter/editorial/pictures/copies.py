"""A picture's smaller copies: one for emails, and several for the site's `srcset`.

They are made once, when the picture is uploaded, or when they are first needed (an import doesn't
make them). Each file's name holds a hash of its content, so it never changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import default_storage

from newsletter.editorial.pictures.storing import write
from newsletter.lib import sandbox
from newsletter.lib.imaging import sizes
from newsletter.lib.imaging.sizes import SmallerCopy

EMAIL_WIDTH = 1104
"""Pixels: twice the width of an email's column, for dense screens."""
EMAIL_BYTES = 150_000
"""What a picture may take up in an email, where base64 makes it 37 % larger (H4)."""
SITE_WIDTHS = (320, 640, 960, 1280)
"""Pixels. The stored picture itself, up to 1600 pixels wide, is the largest choice."""


_MOST_FILE_BYTES = EMAIL_BYTES * 57 // 78
"""57 bytes of a file make a line of 76 characters and a line break."""


def bytes_in_email(size: int) -> int:
    """Return how many bytes a file of that size takes up in an email: base64 in lines of 76."""
    encoded = (size + 2) // 3 * 4
    return encoded + (encoded + 75) // 76 * 2


@dataclass(frozen=True)
class Copy:
    """A file in the media storage; sizes are in pixels and bytes."""

    name: str
    width: int
    height: int
    size: int

    @property
    def url(self) -> str:
        return default_storage.url(self.name)


@dataclass(frozen=True)
class Copies:
    """The smaller copies of one picture."""

    email: Copy
    site: tuple[Copy, ...]
    """By width, the narrowest first; without the stored picture itself."""

    def as_json(self) -> dict[str, Any]:
        """Return what Picture.copies stores."""
        return {"email": asdict(self.email), "site": [asdict(copy) for copy in self.site]}

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Copies | None:
        """Return the copies that were stored; None if there are none."""
        if not data:
            return None
        return cls(Copy(**data["email"]), tuple(Copy(**copy) for copy in data["site"]))

    @property
    def names(self) -> set[str]:
        return {self.email.name, *(copy.name for copy in self.site)}


def make_copies(original: Copy) -> Copies:
    """Make the copies of a stored picture, and store them.

    Raises OSError if its file is missing, ValidationError if a copy can't be written, and
    SandboxEndedError.
    """
    with default_storage.open(original.name) as file:
        content = file.read()
    copies = sandbox.run(sizes.site_copies, content, widths=SITE_WIDTHS)
    return Copies(
        email=_email_copy(original, content),
        site=tuple(_stored(original, copy, f"{copy.width}w") for copy in copies),
    )


def _email_copy(original: Copy, content: bytes) -> Copy:
    """Return the copy for emails. A picture that is small enough is used as it is."""
    if original.width <= EMAIL_WIDTH and original.size <= _MOST_FILE_BYTES:
        return original
    copy = sandbox.run(sizes.email_copy, content, width=EMAIL_WIDTH, most_bytes=_MOST_FILE_BYTES)
    return _stored(original, copy, "email")


def _stored(original: Copy, copy: SmallerCopy, purpose: str) -> Copy:
    stem = str(PurePosixPath(original.name).with_suffix(""))
    digest = hashlib.sha256(copy.data).hexdigest()[:8]
    name = f"{stem}-{purpose}-{digest}{copy.suffix}"
    if not default_storage.exists(name):
        name = write(name, copy.data)
    return Copy(name, copy.width, copy.height, len(copy.data))

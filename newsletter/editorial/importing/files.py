"""Picture files that a document names, relative to its own folder.

Each is checked and stored once, while the document is validated: doing both apart would decode it
twice. Several threads work on them, with a sandbox process for each processor.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Self

from django.core.exceptions import ValidationError
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from newsletter.editorial import pictures
from newsletter.editorial.pictures import StoredPicture
from newsletter.lib import sandbox

PROCESSES = min(os.cpu_count() or 1, 4)
"""Sandbox processes at once. The worst picture takes some 400 MB in each."""


class PictureFolder:
    """The pictures in the folder `base`. Use it as a context manager.

    Pictures of a document that is refused stay in the storage, where an import of the corrected
    document finds them: someone at the desk may have used the same picture in the meantime.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self._stored: dict[tuple[str, str], Future[StoredPicture]] = {}
        self._locks: dict[tuple[str, bytes], Lock] = {}
        # While some of the threads read and write, others keep the processes busy.
        self._pool = ThreadPoolExecutor(2 * PROCESSES)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(sandbox.parallel(PROCESSES))
        self._stack.callback(self._pool.shutdown, cancel_futures=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def stored(self, name: str, *, folder: str = "pictures") -> StoredPicture:
        """Store the picture once and return its name in the media storage and its size.

        Raises ValueError if the file is missing, outside the folder, or not a picture.
        """
        return self._begin(name, folder).result()

    def begin(self, data: object) -> None:
        """Begin to store the pictures that a document names, which is not yet validated."""
        for name, folder in _named_pictures(data):
            self._begin(name, folder)

    def _begin(self, name: str, folder: str) -> Future[StoredPicture]:
        if (name, folder) not in self._stored:
            work = self._pool.submit(self._store, name, folder, get_language() or "en")
            self._stored[name, folder] = work
        return self._stored[name, folder]

    def _store(self, name: str, folder: str, language: str) -> StoredPicture:
        with override(language):  # a thread begins in the site's language
            content = picture_bytes(name, base=self.base)
            # Two files with the same content, stored at once, would get two names, and the next
            # import would find only one of them.
            same = self._locks.setdefault((folder, sha256(content).digest()), Lock())
            try:
                with same:
                    return pictures.store(io.BytesIO(content), folder=folder)
            except ValidationError as error:
                raise ValueError(error.messages[0]) from None


def picture_bytes(name: str, *, base: Path) -> bytes:
    """Return the file's content. Raises ValueError if it is missing or outside the folder."""
    try:
        path = (base / name).resolve()
        if not path.is_relative_to(base.resolve()):
            raise ValueError(_("must be in the same folder as the imported file."))
        return path.read_bytes()
    except OSError as error:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror or error}
        raise ValueError(reason) from None


def _named_pictures(data: object) -> Iterator[tuple[str, str]]:
    """Yield the name and folder of each picture in a document, whatever else is wrong with it."""
    if isinstance(data, list):
        for item in data:
            yield from _named_pictures(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key == "logo" and isinstance(value, str):
                yield value, "newsroom"
            elif key == "image" and isinstance(value, dict) and isinstance(value.get("file"), str):
                yield value["file"], "pictures"
            else:
                yield from _named_pictures(value)

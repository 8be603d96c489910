"""Files on the disk that are complete or not there at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class AtomicFileSystemStorage(FileSystemStorage):
    """Writes each file under a temporary name and renames it once it is on the disk.

    Django writes to the final name. If the disk fills up or the process is killed, half a
    file stays there, and because a picture's name is a hash, the next upload of the same picture
    would take that half for the whole.
    """

    def _save(self, name: str, content: Any) -> str:
        folder = Path(self.path(name)).parent
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{secrets.token_hex(8)}.part"
        try:
            with part.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            part.replace(self.path(name))
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise
        return name.replace("\\", "/")

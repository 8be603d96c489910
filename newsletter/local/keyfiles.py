"""Key documents as files that nobody else can read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from newsletter.lib import keys


def write_new(directory: Path) -> tuple[Path, Path]:
    """Write web.json and worker.json (mode 0600) into `directory` (made with mode 0700).

    Raises FileExistsError, before anything is written, where either is there: keys that were in
    use and are gone make the list of readers unreadable.
    """
    web, worker = directory / "web.json", directory / "worker.json"
    for path in (web, worker):
        if path.exists():
            raise FileExistsError(17, "exists", str(path))
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    web_document, worker_document = keys.generate()
    _write(web, web_document)
    _write(worker, worker_document)
    return web, worker


def _write(path: Path, document: dict[str, Any]) -> None:
    # O_EXCL: of two that start at once, one wins.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())

"""Key documents as files that only their owner can read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.lib import key_documents, keys
from newsletter.lib.key_documents import Document


@dataclass(frozen=True)
class Pair:
    """Both documents of an installation. A passphrase that isn't empty locks the worker's."""

    web: Document
    worker: Document
    passphrase: str = ""

    def texts(self) -> tuple[str, str]:
        """Return the web and the worker document as text, the latter locked if it should be."""
        web, worker = _text(self.web), _text(self.worker)
        return web, key_documents.lock(worker, self.passphrase) if self.passphrase else worker


def write_new(directory: Path, *, recovery: Path | None, passphrase: str = "") -> tuple[Path, Path]:
    """Write web.json and worker.json (mode 0600) into `directory` (created with mode 0700), and
    both into `recovery`.

    Raises FileExistsError before it writes anything if one of them exists: without the keys it was
    sealed with, nobody can read the list of readers.
    """
    pair = Pair(*keys.generate_documents(), passphrase)
    return _write_all(directory, pair.texts(), recovery)


def load_pair(web: Path, worker: Path, *, passphrase: str) -> Pair:
    """Return the documents from two files. Raises KeyFileError, OSError."""
    text = worker.read_text(encoding="utf-8")
    locked = passphrase if key_documents.is_locked(text) else ""
    opened = keys.parse_document(key_documents.unlock(text, passphrase))
    return Pair(keys.parse_document(web.read_text(encoding="utf-8")), opened, locked)


def replace(web: Path, worker: Path, pair: Pair, *, recovery: Path | None) -> None:
    """Replace both files with a pair, keeping owner and mode.

    The worker's comes first, so that a worker can always open what the web process seals.
    """
    web_text, worker_text = pair.texts()
    if recovery is not None:
        write_recovery(recovery, web_text, worker_text)
    _replace(worker, worker_text)
    _replace(web, web_text)


def write_recovery(path: Path, web_text: str, worker_text: str) -> None:
    """Write both documents into one new file. Raises FileExistsError."""
    _write(path, json.dumps({"web": web_text, "worker": worker_text}, indent=1) + "\n")


def restore(recovery: Path, directory: Path) -> tuple[Path, Path]:
    """Write the documents of a recovery copy into `directory`, like `write_new`.

    Raises KeyFileError if the file isn't a recovery copy.
    """
    data = keys.parse_document(recovery.read_text(encoding="utf-8"))
    texts = data.get("web"), data.get("worker")
    if not isinstance(texts[0], str) or not isinstance(texts[1], str):
        raise keys.KeyFileError("not a recovery copy")
    return _write_all(directory, (texts[0], texts[1]), None)


def _write_all(directory: Path, texts: tuple[str, str], recovery: Path | None) -> tuple[Path, Path]:
    web, worker = directory / "web.json", directory / "worker.json"
    for path in (web, worker, recovery):
        if path is not None and path.exists():
            raise FileExistsError(17, "exists", str(path))
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The copy comes first: keys must never be in use without one.
    if recovery is not None:
        write_recovery(recovery, *texts)
    _write(web, texts[0])
    _write(worker, texts[1])
    return web, worker


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    # O_EXCL: if two processes start at the same time, only one succeeds.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str) -> None:
    status = path.stat()
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    _write(beside, text)
    if (status.st_uid, status.st_gid) != (beside.stat().st_uid, beside.stat().st_gid):
        os.chown(beside, status.st_uid, status.st_gid)
    os.chmod(beside, status.st_mode & 0o777)
    os.replace(beside, path)

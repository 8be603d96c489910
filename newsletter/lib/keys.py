"""The site's keys, in two separate sets.

The *web* keys sign links and seal addresses; the *worker* keys open what was sealed. A web process
that has only its own keys can neither read the list nor test whether an address is on it (P3).

Each set is a JSON document. Keys are numbered so that they can be rotated: new data uses the
number in the document's "use", else the highest; the others are kept to read old data. A set is
read again when its file changes, so that a rotation needs no restart.
newsletter.lib.key_documents changes and locks the documents.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar

from nacl.public import PrivateKey

log = logging.getLogger(__name__)
T = TypeVar("T")


class KeyFileError(ValueError):
    """A key document that cannot be used. The text says which part is wrong, never its value."""


class KeyRing(dict[int, bytes]):
    """Keys of 32 bytes by number. New data uses the number `current`."""

    def __init__(self, keys: Mapping[int, bytes], *, current: int) -> None:
        super().__init__(keys)
        self.current = current


class KeyFile(Generic[T]):
    """A key document in a file, which is read again when the file changes."""

    def __init__(self, path: Path, parse: Callable[[str], T]) -> None:
        self.path = path
        self._parse = parse
        self._version = self._file_version()
        self._checked_at = 0.0
        self._value: T | None = None

    def latest(self, known: T) -> T:
        """Like `fresh`, but check the file at most once a second: every email has links to sign."""
        if monotonic() - self._checked_at < 1:
            return known if self._value is None else self._value
        return self.fresh(known)

    def fresh(self, known: T) -> T:
        """Return the keys that the file has now.

        If it cannot be read, return those read last, or `known`: an unfinished rotation must not
        stop a mailing.
        """
        self._checked_at = monotonic()
        try:
            version = self._file_version()
            if version != self._version:
                self._value = self._parse(self.path.read_text(encoding="utf-8"))
                self._version = version
        except (OSError, ValueError) as error:
            # Log only the type of the error: no part of a document may get into a log.
            log.warning("kept-the-keys-read-before", extra={"error": type(error).__name__})
        return known if self._value is None else self._value

    def _file_version(self) -> tuple[int, int, int]:
        status = self.path.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size


@dataclass(frozen=True, repr=False)
class WebKeys:
    """The keys of the web process."""

    secret_key: str
    """Django's SECRET_KEY: sessions, CSRF."""
    tokens: Mapping[int, bytes]
    """Keys of 32 bytes that sign the links in emails."""
    sealing: Mapping[int, bytes]
    """X25519 public keys (32 bytes) that seal incoming addresses."""
    file: KeyFile[WebKeys] | None = field(default=None, compare=False)

    def latest(self) -> WebKeys:
        """Return the keys in the file, which is checked at most once a second, else these."""
        return self.file.latest(self) if self.file else self

    def fresh(self) -> WebKeys:
        """Return the keys that the file has now, else these."""
        return self.file.fresh(self) if self.file else self


@dataclass(frozen=True, repr=False)
class WorkerKeys:
    """The keys that only workers and the operator have."""

    opening: Mapping[int, bytes]
    """X25519 private keys (32 bytes), by the number of their public key."""
    index: Mapping[int, bytes]
    """Keys of 32 bytes for the address hash (keyed BLAKE2b), by which an address is looked up."""
    storage: Mapping[int, bytes]
    """AES-256 keys (32 bytes) that encrypt the stored addresses."""
    file: KeyFile[WorkerKeys] | None = field(default=None, compare=False)

    def latest(self) -> WorkerKeys:
        """Return the keys in the file, which is checked at most once a second, else these."""
        return self.file.latest(self) if self.file else self

    def fresh(self) -> WorkerKeys:
        """Return the keys that the file has now, else these."""
        return self.file.fresh(self) if self.file else self


def current_key(keys: Mapping[int, bytes]) -> tuple[int, bytes]:
    """Return the number and the key that new data uses."""
    number = keys.current if isinstance(keys, KeyRing) else max(keys)
    return number, keys[number]


def generate_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Generate two key documents, (web, worker), ready for `json.dumps`."""
    private = PrivateKey.generate()
    web = {
        "secret_key": secrets.token_urlsafe(50),
        "tokens": {"1": secrets.token_hex(32)},
        "sealing": {"1": bytes(private.public_key).hex()},
    }
    worker = {
        "opening": {"1": bytes(private).hex()},
        "index": {"1": secrets.token_hex(32)},
        "storage": {"1": secrets.token_hex(32)},
    }
    return web, worker


def generate_temporary() -> tuple[str, str]:
    """Generate two key documents as text, for a process that has none."""
    web, worker = generate_documents()
    return json.dumps(web), json.dumps(worker)


def parse_web_keys(document: str, *, file: KeyFile[WebKeys] | None = None) -> WebKeys:
    """Parse the web keys. Raises KeyFileError."""
    data = parse_document(document)
    secret_key = data.get("secret_key")
    if not isinstance(secret_key, str) or len(secret_key) < 40:
        raise KeyFileError("secret_key must be a string of at least 40 characters")
    return WebKeys(secret_key, _key_ring(data, "tokens"), _key_ring(data, "sealing"), file)


def parse_worker_keys(document: str, *, file: KeyFile[WorkerKeys] | None = None) -> WorkerKeys:
    """Parse the worker keys; the document must not be locked. Raises KeyFileError."""
    data = parse_document(document)
    return WorkerKeys(
        _key_ring(data, "opening"), _key_ring(data, "index"), _key_ring(data, "storage"), file
    )


def load_web_keys(path: Path) -> WebKeys:
    """Load the web keys from a file, and again when it changes. Raises KeyFileError."""
    file: KeyFile[WebKeys] = KeyFile(path, lambda text: parse_web_keys(text, file=file))
    return parse_web_keys(path.read_text(encoding="utf-8"), file=file)


def load_worker_keys(path: Path, *, unlock: Callable[[str], str]) -> WorkerKeys:
    """Load the worker keys from a file, and again when it changes. Raises KeyFileError.

    `unlock` returns the text of a document that may be locked.
    """

    def parse(text: str) -> WorkerKeys:
        return parse_worker_keys(unlock(text), file=file)

    file: KeyFile[WorkerKeys] = KeyFile(path, parse)
    return parse(path.read_text(encoding="utf-8"))


def parse_document(document: str) -> dict[str, Any]:
    """Parse a key document, locked or not. Raises KeyFileError."""
    try:
        data = json.loads(document)
    except ValueError:
        raise KeyFileError("not a JSON document") from None
    if not isinstance(data, dict):
        raise KeyFileError("not a JSON object")
    return data


def _key_ring(data: Mapping[str, Any], name: str) -> KeyRing:
    keys = _numbered_keys(data, name)
    current = max(keys)
    use = data.get("use", {})
    if isinstance(use, dict) and name in use:
        current = use[name]
        if current not in keys:
            raise KeyFileError(f'"use": there is no "{name}" key with that number')
    return KeyRing(keys, current=current)


def _numbered_keys(data: Mapping[str, Any], name: str) -> dict[int, bytes]:
    entries = data.get(name)
    if not isinstance(entries, dict) or not entries:
        raise KeyFileError(f'"{name}" must map key numbers to keys')
    keys: dict[int, bytes] = {}
    for number, text in entries.items():
        try:
            key = bytes.fromhex(text)
        except (TypeError, ValueError):
            raise KeyFileError(f'"{name}" {number}: not hexadecimal') from None
        if not str(number).isdigit() or not 0 < int(number) < 256:
            raise KeyFileError(f'"{name}": a key number must be between 1 and 255')
        if len(key) != 32:
            raise KeyFileError(f'"{name}" {number}: a key must have 32 bytes')
        keys[int(number)] = key
    return keys

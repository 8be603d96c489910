"""The project's keys, in two sets that are kept apart.

The *web* set can sign links and seal an address; the *worker* set opens what was sealed. A web
process that was given only its own set can neither read the list nor test a guess against it
(P3).

Each set is one JSON document. Every key has a number, so that keys can be rotated: new material
uses the number that the document's "use" names, else the highest; other numbers stay for reading.
A set that was read from a file is read again when the file has changed, so that a rotation needs
no process to be started anew. newsletter.lib.key_documents changes and locks the documents.
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
    """A key document that cannot be used; the text says which part, never its value."""


class KeyRing(dict[int, bytes]):
    """Keys of 32 bytes by number; `current` is the number that new material uses."""

    def __init__(self, keys: Mapping[int, bytes], *, current: int) -> None:
        super().__init__(keys)
        self.current = current


class KeyFile(Generic[T]):
    """A document in a file, read again where the file has changed since it was made."""

    def __init__(self, path: Path, read: Callable[[str], T]) -> None:
        self.path = path
        self._read = read
        self._stamp = self._stamp_now()
        self._looked_at = 0.0
        self._value: T | None = None

    def latest(self, known: T) -> T:
        """As `fresh`, but looked at once a second at most: links are made for each mail."""
        if monotonic() - self._looked_at < 1:
            return known if self._value is None else self._value
        return self.fresh(known)

    def fresh(self, known: T) -> T:
        """The set as the file has it now; `known`, or what was read last, where it is gone or
        cannot be read: a rotation that is under way may not stop a send-out."""
        self._looked_at = monotonic()
        try:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._value = self._read(self.path.read_text(encoding="utf-8"))
                self._stamp = stamp
        except (OSError, ValueError) as error:
            # Of an error only its kind is told: no part of a document belongs into a log.
            log.warning("kept-the-keys-read-before", extra={"error": type(error).__name__})
        return known if self._value is None else self._value

    def _stamp_now(self) -> tuple[int, int, int]:
        status = self.path.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size


@dataclass(frozen=True, repr=False)
class WebKeys:
    """What the web process holds."""

    secret_key: str
    """Django's SECRET_KEY: sessions, CSRF."""
    tokens: Mapping[int, bytes]
    """Keys of 32 bytes that sign the links in mails."""
    sealing: Mapping[int, bytes]
    """X25519 public keys (32 bytes) under which arriving addresses are sealed."""
    file: KeyFile[WebKeys] | None = field(default=None, compare=False)

    def latest(self) -> WebKeys:
        """These, or what their file had a second ago."""
        return self.file.latest(self) if self.file else self

    def fresh(self) -> WebKeys:
        """These, or what their file has now."""
        return self.file.fresh(self) if self.file else self


@dataclass(frozen=True, repr=False)
class WorkerKeys:
    """What only workers and the operator hold."""

    opening: Mapping[int, bytes]
    """X25519 private keys (32 bytes), by the number of their public half."""
    index: Mapping[int, bytes]
    """Keys of 32 bytes of the blind index (keyed BLAKE2b) by which an address is found."""
    storage: Mapping[int, bytes]
    """AES-256 keys (32 bytes) under which confirmed addresses are stored."""
    file: KeyFile[WorkerKeys] | None = field(default=None, compare=False)

    def latest(self) -> WorkerKeys:
        """These, or what their file had a second ago."""
        return self.file.latest(self) if self.file else self

    def fresh(self) -> WorkerKeys:
        """These, or what their file has now."""
        return self.file.fresh(self) if self.file else self


def current_key(keys: Mapping[int, bytes]) -> tuple[int, bytes]:
    """The number and the key that new material uses."""
    number = keys.current if isinstance(keys, KeyRing) else max(keys)
    return number, keys[number]


def generate_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two new key documents, (web, worker), ready for `json.dumps`."""
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
    """Two new key documents as text, for a process that was given none."""
    web, worker = generate_documents()
    return json.dumps(web), json.dumps(worker)


def parse_web_keys(document: str, *, file: KeyFile[WebKeys] | None = None) -> WebKeys:
    """Read the web set. Raises KeyFileError."""
    data = parse_document(document)
    secret_key = data.get("secret_key")
    if not isinstance(secret_key, str) or len(secret_key) < 40:
        raise KeyFileError("secret_key must be a text of at least 40 characters")
    return WebKeys(secret_key, _key_ring(data, "tokens"), _key_ring(data, "sealing"), file)


def parse_worker_keys(document: str, *, file: KeyFile[WorkerKeys] | None = None) -> WorkerKeys:
    """Read the worker set, which is not locked. Raises KeyFileError."""
    data = parse_document(document)
    return WorkerKeys(
        _key_ring(data, "opening"), _key_ring(data, "index"), _key_ring(data, "storage"), file
    )


def load_web_keys(path: Path) -> WebKeys:
    """Read the web set from a file, to be read again when that changes. Raises KeyFileError."""
    file: KeyFile[WebKeys] = KeyFile(path, lambda text: parse_web_keys(text, file=file))
    return parse_web_keys(path.read_text(encoding="utf-8"), file=file)


def load_worker_keys(path: Path, *, unlock: Callable[[str], str]) -> WorkerKeys:
    """The same for the worker set; `unlock` gives the text of a document that may be locked."""

    def read(text: str) -> WorkerKeys:
        return parse_worker_keys(unlock(text), file=file)

    file: KeyFile[WorkerKeys] = KeyFile(path, read)
    return read(path.read_text(encoding="utf-8"))


def parse_document(document: str) -> dict[str, Any]:
    """A key document as an object. Raises KeyFileError."""
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
            raise KeyFileError(f'"use": there is no "{name}" of that number')
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
            raise KeyFileError(f'"{name}": a key number is between 1 and 255')
        if len(key) != 32:
            raise KeyFileError(f'"{name}" {number}: a key has 32 bytes')
        keys[int(number)] = key
    return keys

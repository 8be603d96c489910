"""The project's keys, in two sets that are kept apart.

The *web* set can sign links and seal an address; the *worker* set opens what was sealed. A web
process that was given only its own set can neither read the list nor test a guess against it
(DESIGN.md, "What always holds", 3).

Each set is one JSON document. Every key has a number, so that keys can be rotated: new material
uses the highest number, old numbers stay for reading.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nacl.public import PrivateKey


class KeyFileError(ValueError):
    """A key document that cannot be used; the text says which part, never its value."""


@dataclass(frozen=True, repr=False)
class WebKeys:
    """What the web process holds."""

    secret_key: str
    """Django's SECRET_KEY: sessions, CSRF."""
    tokens: Mapping[int, bytes]
    """Keys of 32 bytes that sign the links in mails."""
    sealing: Mapping[int, bytes]
    """X25519 public keys (32 bytes) under which arriving addresses are sealed."""


@dataclass(frozen=True, repr=False)
class WorkerKeys:
    """What only workers and the operator hold."""

    opening: Mapping[int, bytes]
    """X25519 private keys (32 bytes), by the number of their public half."""
    index: Mapping[int, bytes]
    """Keys of 32 bytes of the blind index (keyed BLAKE2b) by which an address is found."""
    storage: Mapping[int, bytes]
    """AES-256 keys (32 bytes) under which confirmed addresses are stored."""


def newest(keys: Mapping[int, bytes]) -> tuple[int, bytes]:
    """The number and the key that new material uses."""
    number = max(keys)
    return number, keys[number]


def generate() -> tuple[dict[str, Any], dict[str, Any]]:
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


def temporary() -> tuple[str, str]:
    """Two new key documents as text, for a process that was given none."""
    web, worker = generate()
    return json.dumps(web), json.dumps(worker)


def web_keys(document: str) -> WebKeys:
    """Read the web set. Raises KeyFileError."""
    data = _load(document)
    secret_key = data.get("secret_key")
    if not isinstance(secret_key, str) or len(secret_key) < 40:
        raise KeyFileError("secret_key must be a text of at least 40 characters")
    return WebKeys(secret_key, _numbered(data, "tokens"), _numbered(data, "sealing"))


def worker_keys(document: str) -> WorkerKeys:
    """Read the worker set. Raises KeyFileError."""
    data = _load(document)
    return WorkerKeys(
        _numbered(data, "opening"), _numbered(data, "index"), _numbered(data, "storage")
    )


def _load(document: str) -> dict[str, Any]:
    try:
        data = json.loads(document)
    except ValueError:
        raise KeyFileError("not a JSON document") from None
    if not isinstance(data, dict):
        raise KeyFileError("not a JSON object")
    return data


def _numbered(data: Mapping[str, Any], name: str) -> dict[int, bytes]:
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

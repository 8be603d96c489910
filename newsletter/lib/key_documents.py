"""Changes key documents: adds and removes keys, locks and unlocks them with a passphrase.

A document is a JSON object. For each purpose it maps key numbers to hexadecimal keys; "use" has
the number of the key that encrypts or signs new data. A locked document is the document in
libsodium's secret box, with a key that scrypt (RFC 7914) derives from the passphrase.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.secret import SecretBox

from newsletter.lib.keys import KeyFileError, WebKeys, WorkerKeys, parse_document

Document = dict[str, Any]

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**16, 8, 1
"""Each guess takes 64 MB and a fifth of a second."""
MIN_PASSPHRASE_LENGTH = 12
PURPOSES = ("storage", "index", "sealing", "tokens")
"""The keys that can be rotated. The private keys of "sealing" are the worker's "opening"."""


def add_keys(
    web: Document, worker: Document, purposes: Iterable[str]
) -> tuple[Document, Document, dict[str, int]]:
    """Add a key for each purpose, which is not used yet.

    Returns both changed documents and the number of each new key. Raises KeyFileError.
    """
    web, worker = deepcopy(web), deepcopy(worker)
    added: dict[str, int] = {}
    for purpose in purposes:
        keys = _keys(web, worker, purpose)
        number = max(map(int, keys)) + 1
        if number > 255:
            raise KeyFileError(f"{purpose}: no key number is left; 255 is the last")
        for document in (web, worker):
            for name in _entries_of(purpose):
                if name in document:
                    document.setdefault("use", {}).setdefault(name, _current_number(document, name))
        _store_new_key(web, worker, purpose, number)
        added[purpose] = number
    return web, worker, added


def use_newest(web: Document, worker: Document) -> tuple[Document, Document]:
    """Return both documents with the newest key of each purpose in use."""
    return _without_use(web), _without_use(worker)


def remove_key(
    web: Document, worker: Document, purpose: str, number: int
) -> tuple[Document, Document]:
    """Return both documents without a key. Raises KeyFileError if it is missing or in use."""
    web, worker = deepcopy(web), deepcopy(worker)
    keys = _keys(web, worker, purpose)
    if str(number) not in keys:
        raise KeyFileError(f"{purpose}: key number {number} does not exist")
    for document in (web, worker):
        for name in _entries_of(purpose):
            if name not in document:
                continue
            if _current_number(document, name) == number:
                raise KeyFileError(f"{purpose}: key number {number} is in use")
            del document[name][str(number)]
    return web, worker


def mismatched_sealing_keys(web: WebKeys, worker: WorkerKeys) -> list[int]:
    """Return the numbers of sealing keys whose private key is missing or doesn't match."""
    return [
        number
        for number, public in sorted(web.sealing.items())
        if number not in worker.opening or public_key_of(worker.opening[number]) != public
    ]


def public_key_of(private: bytes) -> bytes:
    """Return the X25519 public key of a private key."""
    return bytes(PrivateKey(private).public_key)


# --- Passphrase -------------------------------------------------------------------------------
def is_locked(document: str) -> bool:
    return "locked" in parse_document(document)


def lock(document: str, passphrase: str) -> str:
    """Lock a document with a passphrase. Raises KeyFileError if the passphrase is too short."""
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise KeyFileError(f"a passphrase must have at least {MIN_PASSPHRASE_LENGTH} characters")
    salt = secrets.token_bytes(16)
    cost = {"n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P}
    box = SecretBox(_derive_key(passphrase, salt, **cost)).encrypt(document.encode())
    locked = {"locked": "scrypt", "salt": salt.hex(), **cost, "box": bytes(box).hex()}
    return json.dumps(locked, indent=1) + "\n"


def unlock(document: str, passphrase: str) -> str:
    """Return the text of a document, locked or not. Raises KeyFileError."""
    data = parse_document(document)
    if "locked" not in data:
        return document
    if not passphrase:
        raise KeyFileError("locked with a passphrase: set WORKER_KEYS_PASSPHRASE")
    try:
        key = _derive_key(
            passphrase, bytes.fromhex(data["salt"]), n=data["n"], r=data["r"], p=data["p"]
        )
        return SecretBox(key).decrypt(bytes.fromhex(data["box"])).decode()
    except CryptoError:
        raise KeyFileError("the passphrase is wrong") from None
    except (KeyError, TypeError, ValueError):
        raise KeyFileError("the locked document is damaged") from None


def _derive_key(passphrase: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    if not (n <= 2**20 and r <= 32 and p <= 16):
        raise ValueError("the cost parameters are too high")
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=2**31 - 1, dklen=SecretBox.KEY_SIZE
    )


# --- Steps ------------------------------------------------------------------------------------
def _entries_of(purpose: str) -> tuple[str, ...]:
    return ("sealing", "opening") if purpose == "sealing" else (purpose,)


def _keys(web: Document, worker: Document, purpose: str) -> dict[str, str]:
    if purpose not in PURPOSES:
        raise KeyFileError(f"{purpose}: must be one of {', '.join(PURPOSES)}")
    keys: dict[str, str] = (web if purpose in ("tokens", "sealing") else worker)[purpose]
    return keys


def _without_use(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "use"}


def _current_number(document: Document, name: str) -> int:
    return int(document.get("use", {}).get(name, max(map(int, document[name]))))


def _store_new_key(web: Document, worker: Document, purpose: str, number: int) -> None:
    if purpose == "sealing":
        private = PrivateKey.generate()
        web["sealing"][str(number)] = bytes(private.public_key).hex()
        worker["opening"][str(number)] = bytes(private).hex()
    else:
        document = web if purpose == "tokens" else worker
        document[purpose][str(number)] = secrets.token_hex(32)

"""Key documents changed: locked with a passphrase, given new numbers, relieved of old ones.

A document is a JSON object: key numbers to hexadecimal keys, by purpose, and "use", the number
that new material uses. A locked one is what a passphrase opens: scrypt (RFC 7914) and libsodium's
secret box around the document.
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
"""64 MB and a fifth of a second for each guess."""
MIN_PASSPHRASE_LENGTH = 12
PURPOSES = ("storage", "index", "sealing", "tokens")
"""What can be rotated. "sealing" is a pair: its private half is the worker's "opening"."""


def add_keys(
    web: Document, worker: Document, purposes: Iterable[str]
) -> tuple[Document, Document, dict[str, int]]:
    """Both documents with one more key for each purpose, not in use yet, and its number."""
    web, worker = deepcopy(web), deepcopy(worker)
    added: dict[str, int] = {}
    for purpose in purposes:
        keys = _keys(web, worker, purpose)
        number = max(map(int, keys)) + 1
        if number > 255:
            raise KeyFileError(f"{purpose}: there is no number left; 255 is the last")
        for document in (web, worker):
            for name in _entries_of(purpose):
                if name in document:
                    document.setdefault("use", {}).setdefault(name, _current_number(document, name))
        _store_new_key(web, worker, purpose, number)
        added[purpose] = number
    return web, worker, added


def use_newest(web: Document, worker: Document) -> tuple[Document, Document]:
    """Both documents with each newest key in use."""
    return _without_use(web), _without_use(worker)


def remove_key(
    web: Document, worker: Document, purpose: str, number: int
) -> tuple[Document, Document]:
    """Both documents without one key. Raises KeyFileError where it is not there or in use."""
    web, worker = deepcopy(web), deepcopy(worker)
    keys = _keys(web, worker, purpose)
    if str(number) not in keys:
        raise KeyFileError(f"{purpose}: there is no number {number}")
    for document in (web, worker):
        for name in _entries_of(purpose):
            if name not in document:
                continue
            if _current_number(document, name) == number:
                raise KeyFileError(f"{purpose}: number {number} is in use")
            del document[name][str(number)]
    return web, worker


def mismatched_sealing_keys(web: WebKeys, worker: WorkerKeys) -> list[int]:
    """Numbers of sealing keys whose private half is another one, or not there."""
    return [
        number
        for number, public in sorted(web.sealing.items())
        if number not in worker.opening or public_key_of(worker.opening[number]) != public
    ]


def public_key_of(private: bytes) -> bytes:
    """The X25519 public key of a private one."""
    return bytes(PrivateKey(private).public_key)


# --- Passphrase -------------------------------------------------------------------------------
def is_locked(document: str) -> bool:
    return "locked" in parse_document(document)


def lock(document: str, passphrase: str) -> str:
    """The document as only the passphrase opens it. Raises KeyFileError for a short one."""
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise KeyFileError(f"a passphrase has at least {MIN_PASSPHRASE_LENGTH} characters")
    salt = secrets.token_bytes(16)
    cost = {"n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P}
    box = SecretBox(_derive_key(passphrase, salt, **cost)).encrypt(document.encode())
    locked = {"locked": "scrypt", "salt": salt.hex(), **cost, "box": bytes(box).hex()}
    return json.dumps(locked, indent=1) + "\n"


def unlock(document: str, passphrase: str) -> str:
    """The text of a document, locked or not. Raises KeyFileError for a wrong passphrase."""
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
        raise KeyFileError("the passphrase does not open it") from None
    except (KeyError, TypeError, ValueError):
        raise KeyFileError("a locked document that is damaged") from None


def _derive_key(passphrase: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    if not (n <= 2**20 and r <= 32 and p <= 16):
        raise ValueError("a cost that no document of ours has")
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=2**31 - 1, dklen=SecretBox.KEY_SIZE
    )


# --- Steps ------------------------------------------------------------------------------------
def _entries_of(purpose: str) -> tuple[str, ...]:
    return ("sealing", "opening") if purpose == "sealing" else (purpose,)


def _keys(web: Document, worker: Document, purpose: str) -> dict[str, str]:
    if purpose not in PURPOSES:
        raise KeyFileError(f"{purpose}: one of {', '.join(PURPOSES)}")
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

"""Sealing: how an address is kept so that only a worker can read it.

An arrival is sealed by the web process under a public key (libsodium's sealed box, X25519 and
XSalsa20-Poly1305) and opened by a worker. A stored address is AES-256-GCM, bound to the reader's
public id, so that one row's address cannot be moved to another. A blind index, keyed BLAKE2b of
the normalised address, finds a reader; without its key no guess can be tried (G7).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from newsletter.lib.keys import WorkerKeys, current_key
from subscribers.addresses import Address

NONCE = 12
PADDING = 512


class SealedError(Exception):
    """Something sealed cannot be opened or looked up here; the text holds nothing of it."""


class KeyMissingError(SealedError):
    """It was sealed under a key that this process was not given, or not yet."""


class Sealed(NamedTuple):
    """What was sealed, and the number of the key it was sealed under."""

    key: int
    value: bytes


class AddressHash(NamedTuple):
    """A blind index of 32 bytes, and the number of the key it was made with."""

    key: int
    value: bytes


def worker_keys() -> WorkerKeys:
    """The keys that open. Raises SealedError in a process that was not given them."""
    keys: WorkerKeys | None = settings.WORKER_KEYS
    if keys is None:
        raise SealedError("this process holds no worker keys")
    return keys


def fresh_worker_keys() -> WorkerKeys:
    """The same as their file has them now: what is written, and looked for, heeds a rotation."""
    return worker_keys().fresh()


def seal_arrival(data: Mapping[str, Any]) -> Sealed:
    """Seal JSON data under the public key, padded so that its length tells nothing of it."""
    number, key = current_key(settings.WEB_KEYS.fresh().sealing)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    padded = text.ljust(-(-len(text) // PADDING) * PADDING)
    return Sealed(number, SealedBox(PublicKey(key)).encrypt(padded))


def open_arrival(sealed: Sealed) -> dict[str, Any]:
    """The data of `seal_arrival`. Raises SealedError."""
    key = worker_keys().opening.get(sealed.key) or _arrived(fresh_worker_keys().opening, sealed)
    try:
        text = SealedBox(PrivateKey(key)).decrypt(bytes(sealed.value))
    except CryptoError:
        raise SealedError("sealed for another key, or changed") from None
    try:
        data = json.loads(text)
    except ValueError:
        raise SealedError("not JSON inside") from None
    if not isinstance(data, dict):
        raise SealedError("not a JSON object inside")
    return data


def seal_address(address: Address, public_id: UUID) -> Sealed:
    """Seal an address for the database: nonce (12), ciphertext, tag (16)."""
    number, key = current_key(fresh_worker_keys().storage)
    nonce = os.urandom(NONCE)
    return Sealed(
        number, nonce + _cipher(key).encrypt(nonce, address.mail.encode(), public_id.bytes)
    )


def open_address(sealed: Sealed, public_id: UUID) -> str:
    """The address as mail goes to it. Raises SealedError."""
    # A file is looked at only for a number that is new here: this runs for each mail.
    key = worker_keys().storage.get(sealed.key) or _arrived(fresh_worker_keys().storage, sealed)
    value = bytes(sealed.value)
    try:
        return _cipher(key).decrypt(value[:NONCE], value[NONCE:], public_id.bytes).decode()
    except (InvalidTag, ValueError):
        raise SealedError("sealed for another key or reader, or changed") from None


def opener() -> Callable[[int, bytes, bytes | str], str]:
    """`open_address` for many rows: a function of key number, sealed address and the public id
    as 16 bytes or as hexadecimal digits. It raises SealedError."""
    ciphers = {number: _cipher(key) for number, key in worker_keys().storage.items()}

    def opened(number: int, sealed: bytes, public_id: bytes | str) -> str:
        bound = bytes.fromhex(public_id) if isinstance(public_id, str) else public_id
        cipher = ciphers.get(number)
        if cipher is None:
            cipher = _cipher(_arrived(fresh_worker_keys().storage, Sealed(number, sealed)))
            ciphers[number] = cipher
        try:
            return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], bound).decode()
        except (InvalidTag, ValueError):
            raise SealedError("sealed for another key or reader, or changed") from None

    return opened


def address_hash(address: Address) -> AddressHash:
    """The blind index of an address. Raises SealedError where there is no index key."""
    return address_hashes(address)[0]


def address_hashes(address: Address) -> list[AddressHash]:
    """Its index under each key that is held, the one in use first: an erased reader's is under
    the key of its time, as nobody can compute it anew."""
    keys = fresh_worker_keys().index
    current, _key = current_key(keys)
    numbers = [current, *sorted(set(keys) - {current}, reverse=True)]
    return [AddressHash(number, _hash(address, keys[number])) for number in numbers]


def _hash(address: Address, key: bytes) -> bytes:
    return hashlib.blake2b(address.key.encode(), key=key, digest_size=32).digest()


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESGCM:
    # Making the cipher costs more than using it, and a send-out opens an address per reader.
    return AESGCM(key)


def _arrived(keys: Mapping[int, bytes], sealed: Sealed) -> bytes:
    try:
        return keys[sealed.key]
    except KeyError:
        raise KeyMissingError(f"no key number {sealed.key} here") from None

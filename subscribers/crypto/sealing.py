"""Encrypt addresses so that only a worker can read them, and hash them so that they can be found.

The web process encrypts an intake item with a public key (libsodium's sealed box: X25519,
XSalsa20-Poly1305); a worker opens it. A stored address is AES-256-GCM, bound to the reader's public
ID so that it can't be moved to another row. A keyed BLAKE2b hash of the normalised address finds a
reader; without the key, nobody can test guesses against it (G7).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from newsletter.lib.keys import WorkerKeys, current_key
from subscribers.addresses import Address

NONCE_BYTES = 12
PADDING_BYTES = 512


class SealedError(Exception):
    """Something can't be decrypted or hashed here. The message contains nothing of its content."""


class KeyMissingError(SealedError):
    """It was encrypted with a key that this process doesn't have, or doesn't have yet."""


class Ciphertext(NamedTuple):
    """Encrypted bytes, and the number of their key."""

    key_number: int
    data: bytes


class AddressHash(NamedTuple):
    """A keyed hash of an address (32 bytes), and the number of its key."""

    key_number: int
    digest: bytes


def worker_keys() -> WorkerKeys:
    """Return the keys that decrypt. Raises SealedError in a process without them."""
    keys: WorkerKeys | None = settings.WORKER_KEYS
    if keys is None:
        raise SealedError("this process holds no worker keys")
    return keys


def seal_intake(data: Mapping[str, Any]) -> Ciphertext:
    """Encrypt JSON data for a worker, padded so that its length reveals nothing."""
    number, key = current_key(settings.WEB_KEYS.fresh().sealing)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    padded = text.ljust(-(-len(text) // PADDING_BYTES) * PADDING_BYTES)
    return Ciphertext(number, SealedBox(PublicKey(key)).encrypt(padded))


def open_intake(sealed: Ciphertext) -> dict[str, Any]:
    """Return the data that `seal_intake` encrypted. Raises SealedError."""
    key = _key(sealed.key_number, lambda keys: keys.opening)
    try:
        data = json.loads(SealedBox(PrivateKey(key)).decrypt(bytes(sealed.data)))
    except CryptoError:
        raise SealedError("encrypted with another key, or changed") from None
    except ValueError:
        raise SealedError("it contains no JSON") from None
    if not isinstance(data, dict):
        raise SealedError("it contains no JSON object")
    return data


def seal_address(address: Address, public_id: UUID) -> Ciphertext:
    """Encrypt an address for the database: nonce (12 bytes), ciphertext, tag (16 bytes)."""
    number, key = current_key(worker_keys().fresh().storage)
    nonce = os.urandom(NONCE_BYTES)
    encrypted = _cipher(key).encrypt(nonce, address.email.encode(), public_id.bytes)
    return Ciphertext(number, nonce + encrypted)


def open_address(sealed: Ciphertext, public_id: UUID) -> str:
    """Return the address that `seal_address` encrypted. Raises SealedError."""
    return _decrypt(_storage_cipher(sealed.key_number), bytes(sealed.data), public_id.bytes)


def address_opener() -> Callable[[int, bytes, bytes | str], str]:
    """Return `open_address` for many rows: a function of key number, encrypted address and public
    ID (16 bytes, or hexadecimal). Both raise SealedError."""
    worker_keys()
    cipher_of = cache(_storage_cipher)

    def open_one(number: int, data: bytes, public_id: bytes | str) -> str:
        bound_to = bytes.fromhex(public_id) if isinstance(public_id, str) else public_id
        return _decrypt(cipher_of(number), data, bound_to)

    return open_one


def address_hash(address: Address) -> AddressHash:
    """Return the address's hash under the key in use. Raises SealedError without hash keys."""
    return address_hashes(address)[0]


def address_hashes(address: Address) -> list[AddressHash]:
    """Return the address's hash under each key, the one in use first. An erased reader's hash
    can't be recomputed, so it stays under the key of its time."""
    keys = worker_keys().fresh().index
    current, _ = current_key(keys)
    numbers = [current, *sorted(set(keys) - {current}, reverse=True)]
    text = address.key.encode()
    return [
        AddressHash(number, hashlib.blake2b(text, key=keys[number], digest_size=32).digest())
        for number in numbers
    ]


def _key(number: int, keys_of: Callable[[WorkerKeys], Mapping[int, bytes]]) -> bytes:
    # The key file is read again only for an unknown number: this runs for each email.
    key = keys_of(worker_keys()).get(number) or keys_of(worker_keys().fresh()).get(number)
    if key is None:
        raise KeyMissingError(f"no key with number {number}")
    return key


def _storage_cipher(number: int) -> AESGCM:
    return _cipher(_key(number, lambda keys: keys.storage))


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESGCM:
    # Making the cipher costs more than using it, and a mailing opens one address per reader.
    return AESGCM(key)


def _decrypt(cipher: AESGCM, data: bytes, public_id: bytes) -> str:
    try:
        return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], public_id).decode()
    except (InvalidTag, ValueError):
        raise SealedError("encrypted with another key or for another reader, or changed") from None

"""Encrypted addresses open only with the right keys (P3)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from newsletter.lib import keys
from subscribers.addresses import normalise
from subscribers.crypto import sealing
from subscribers.crypto.sealing import Ciphertext, SealedError

ADDRESS = normalise("Ala@readers.example")


@pytest.fixture
def no_worker_keys(settings: Any) -> None:
    settings.WORKER_KEYS = None


def test_an_intake_item_can_be_opened() -> None:
    data = {"address": ADDRESS.email, "languages": ["be", "ru"]}
    assert sealing.open_intake(sealing.seal_intake(data)) == data


def test_the_length_of_an_intake_item_reveals_nothing() -> None:
    lengths = {len(sealing.seal_intake({"address": "a" * n}).data) for n in range(1, 255, 23)}
    assert len(lengths) == 1


@pytest.mark.usefixtures("no_worker_keys")
def test_the_web_process_can_encrypt() -> None:
    assert ADDRESS.email.encode() not in sealing.seal_intake({"address": ADDRESS.email}).data


def test_the_web_process_can_neither_decrypt_nor_hash(settings: Any) -> None:
    public_id = uuid.uuid4()
    item = sealing.seal_intake({"address": ADDRESS.email})
    stored = sealing.seal_address(ADDRESS, public_id)
    settings.WORKER_KEYS = None
    for attempt in (
        lambda: sealing.open_intake(item),
        lambda: sealing.open_address(stored, public_id),
        lambda: sealing.seal_address(ADDRESS, public_id),
        lambda: sealing.address_hash(ADDRESS),
    ):
        with pytest.raises(SealedError, match="this process holds no worker keys"):
            attempt()


def test_an_address_is_bound_to_its_reader() -> None:
    public_id = uuid.uuid4()
    stored = sealing.seal_address(ADDRESS, public_id)
    assert sealing.open_address(stored, public_id) == ADDRESS.email
    with pytest.raises(SealedError):
        sealing.open_address(stored, uuid.uuid4())


def test_the_same_address_is_encrypted_differently_each_time() -> None:
    public_id = uuid.uuid4()
    assert sealing.seal_address(ADDRESS, public_id) != sealing.seal_address(ADDRESS, public_id)


def test_the_hash_is_keyed_and_ignores_case(settings: Any) -> None:
    hashed = sealing.address_hash(ADDRESS)
    assert len(hashed.digest) == 32
    assert hashed == sealing.address_hash(normalise("ALA@READERS.example"))
    settings.WORKER_KEYS = keys.parse_worker_keys(keys.generate_temporary()[1])
    assert hashed.digest != sealing.address_hash(ADDRESS).digest


@pytest.mark.parametrize("flaw", ["another key", "unknown key", "changed", "short"])
def test_the_error_does_not_reveal_the_content(flaw: str, settings: Any) -> None:
    item = sealing.seal_intake({"address": ADDRESS.email})
    if flaw == "another key":
        settings.WORKER_KEYS = keys.parse_worker_keys(keys.generate_temporary()[1])
    elif flaw == "unknown key":
        item = Ciphertext(9, item.data)
    elif flaw == "changed":
        item = Ciphertext(item.key_number, item.data[:-1] + bytes([item.data[-1] ^ 1]))
    else:
        item = Ciphertext(item.key_number, b"x")
    with pytest.raises(SealedError) as caught:
        sealing.open_intake(item)
    assert "readers.example" not in str(caught.value)

"""What is sealed opens with the right keys only (P3)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from newsletter.lib import keys
from subscribers.addresses import normalise
from subscribers.crypto import sealing
from subscribers.crypto.sealing import Sealed, SealedError

ADDRESS = normalise("Ala@readers.example")


@pytest.fixture
def no_worker_keys(settings: Any) -> None:
    settings.WORKER_KEYS = None


def test_an_arrival_opens_again() -> None:
    data = {"address": ADDRESS.mail, "languages": ["be", "ru"]}
    assert sealing.open_arrival(sealing.seal_arrival(data)) == data


def test_the_length_of_an_arrival_tells_nothing() -> None:
    lengths = {len(sealing.seal_arrival({"address": "a" * n}).value) for n in range(1, 255, 23)}
    assert len(lengths) == 1


@pytest.mark.usefixtures("no_worker_keys")
def test_the_web_process_seals() -> None:
    assert ADDRESS.mail.encode() not in sealing.seal_arrival({"address": ADDRESS.mail}).value


def test_the_web_process_opens_nothing_and_tests_no_guess(settings: Any) -> None:
    public_id = uuid.uuid4()
    arrival = sealing.seal_arrival({"address": ADDRESS.mail})
    stored = sealing.seal_address(ADDRESS, public_id)
    settings.WORKER_KEYS = None
    for attempt in (
        lambda: sealing.open_arrival(arrival),
        lambda: sealing.open_address(stored, public_id),
        lambda: sealing.seal_address(ADDRESS, public_id),
        lambda: sealing.address_hash(ADDRESS),
    ):
        with pytest.raises(SealedError, match="this process holds no worker keys"):
            attempt()


def test_an_address_is_bound_to_its_reader() -> None:
    public_id = uuid.uuid4()
    stored = sealing.seal_address(ADDRESS, public_id)
    assert sealing.open_address(stored, public_id) == ADDRESS.mail
    with pytest.raises(SealedError):
        sealing.open_address(stored, uuid.uuid4())


def test_the_same_address_is_sealed_differently_each_time() -> None:
    public_id = uuid.uuid4()
    assert sealing.seal_address(ADDRESS, public_id) != sealing.seal_address(ADDRESS, public_id)


def test_the_index_is_of_the_key_and_keyed(settings: Any) -> None:
    index = sealing.address_hash(ADDRESS)
    assert len(index.value) == 32
    assert index == sealing.address_hash(normalise("ALA@READERS.example"))
    settings.WORKER_KEYS = keys.parse_worker_keys(keys.generate_temporary()[1])
    assert index.value != sealing.address_hash(ADDRESS).value


@pytest.mark.parametrize("flaw", ["another key", "unknown key", "changed", "short"])
def test_what_cannot_be_opened_says_so_without_its_content(flaw: str, settings: Any) -> None:
    arrival = sealing.seal_arrival({"address": ADDRESS.mail})
    if flaw == "another key":
        settings.WORKER_KEYS = keys.parse_worker_keys(keys.generate_temporary()[1])
    elif flaw == "unknown key":
        arrival = Sealed(9, arrival.value)
    elif flaw == "changed":
        arrival = Sealed(arrival.key, arrival.value[:-1] + bytes([arrival.value[-1] ^ 1]))
    else:
        arrival = Sealed(arrival.key, b"x")
    with pytest.raises(SealedError) as caught:
        sealing.open_arrival(arrival)
    assert "readers.example" not in str(caught.value)

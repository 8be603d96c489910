"""age files: keys are checked, layers open only in order, and memory stays flat (B8)."""

from __future__ import annotations

import io
import os
import threading
import tracemalloc
from collections.abc import Iterator

import pyrage
import pytest
from pyrage.x25519 import Identity

from newsletter.lib import age, environment

ALA, BOB = Identity.generate(), Identity.generate()
KEYS = [str(ALA.to_public()), str(BOB.to_public())]
CHUNK = 64 * 1024


def encrypted(chunks: list[bytes], *keys: str) -> bytes:
    file = io.BytesIO()
    age.encrypt(chunks, keys, file)
    return file.getvalue()


@pytest.mark.parametrize(
    "chunks",
    [[], [b""], [b"one"], [b"", b"one", b"", b"two"], [b"x" * 200_001, b"y"], [b"z" * CHUNK] * 3],
    ids=["none", "empty", "one", "with empty ones", "large", "exactly three of age's own chunks"],
)
def test_encrypted_content_can_be_decrypted(chunks: list[bytes]) -> None:
    assert pyrage.decrypt(encrypted(chunks, KEYS[0]), [ALA]) == b"".join(chunks)
    inner = pyrage.decrypt(encrypted(chunks, *KEYS), [BOB])
    assert pyrage.decrypt(inner, [ALA]) == b"".join(chunks)


def test_neither_of_two_recipients_can_decrypt_alone() -> None:
    data = encrypted([b"the list"], *KEYS)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(data, [ALA])
    inner = pyrage.decrypt(data, [BOB])
    assert b"the list" not in inner
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(inner, [BOB])
    assert pyrage.decrypt(inner, [ALA]) == b"the list"


@pytest.mark.parametrize("keys", [KEYS[:1], KEYS], ids=["one recipient", "two recipients"])
class TestStreaming:
    def test_memory_stays_flat(self, keys: list[str]) -> None:
        """50 MB pass through, and no more is read ahead than the layers hold."""
        file, made = Counting(), 0

        def chunks() -> Iterator[bytes]:
            nonlocal made
            for _ in range(800):
                made += CHUNK
                assert made - file.size <= 8 * CHUNK
                yield b"x" * CHUNK

        tracemalloc.start()
        try:
            age.encrypt(chunks(), keys, file)
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert made == 800 * CHUNK < file.size
        assert peak < 2_000_000

    @pytest.mark.parametrize("error", [KeyError("ala@readers.example"), KeyboardInterrupt()])
    @pytest.mark.parametrize("before", [0, 1, 50])
    def test_failing_content_leaves_a_file_that_age_refuses(
        self, keys: list[str], before: int, error: BaseException
    ) -> None:
        def chunks() -> Iterator[bytes]:
            yield from [b"x" * CHUNK] * before
            raise error

        file = io.BytesIO()
        with pytest.raises(type(error)) as raised:
            age.encrypt(chunks(), keys, file)
        assert raised.value is error
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(file.getvalue(), [ALA, BOB])

    @pytest.mark.parametrize(
        ("size", "room"),
        [(50 * CHUNK, 0), (50 * CHUNK, 1000), (50 * CHUNK, 500_000), (10, 0), (100_000, 100_000)],
        ids=["at once", "after the header", "half-way", "in the only write", "in the last write"],
    )
    def test_a_full_disk_raises_its_error(self, keys: list[str], size: int, room: int) -> None:
        threads, descriptors = threading.active_count(), open_descriptors()
        with pytest.raises(OSError, match="No space left"):
            age.encrypt([b"x" * size], keys, FullDisk(room))
        assert threading.active_count() == threads
        assert open_descriptors() == descriptors


class Counting:
    """A file that only counts bytes."""

    size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


class FullDisk(Counting):
    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> int:
        if self.size + len(data) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_valid_settings_are_parsed() -> None:
    assert environment.parse_age_recipients("") == environment.parse_age_recipients(" , ") == []
    assert environment.parse_age_recipients(KEYS[0].upper()) == KEYS[:1]
    assert environment.parse_age_recipients(f"{KEYS[0]} , {KEYS[1]}") == KEYS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("age1nonsense", "key 1 is not an age public key"),
        (f"{KEYS[0]},{KEYS[1][:-1]}", "key 2 is not an age public key"),
        ("00" * 32, "key 1 is not an age public key"),
        (f"{KEYS[0]},{ALA}", "key 2 is a private key"),
        (f"{KEYS[0]},{KEYS[1]},{Identity.generate().to_public()}", "3 keys are given"),
        (f"{KEYS[0]},{KEYS[0]}", "the same key is given twice"),
        (f"{KEYS[0]},{KEYS[0].upper()}", "the same key is given twice"),
    ],
)
def test_an_invalid_setting_is_explained_without_the_key(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as error:
        environment.parse_age_recipients(text)
    for key in text.split(","):
        assert key not in str(error.value)

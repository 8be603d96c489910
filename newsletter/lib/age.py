"""Writes files in the age format (age-encryption.org/v1), encrypting content as it is produced.

An age file for two recipients can be opened by either of them. Here each recipient gets a separate
layer, an age file inside an age file, with the first recipient's innermost. Nothing can be read
unless all of them open their layers, the last recipient first.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import pyrage
from pyrage import x25519

MAX_RECIPIENTS = 2


class Readable(Protocol):
    """A source of content."""

    def read(self, size: int) -> bytes: ...


class Writable(Protocol):
    """A destination; `write` returns how many bytes it accepted."""

    def write(self, data: bytes) -> int: ...


def parse_recipients(keys: Iterable[str]) -> list[str]:
    """Return the public keys (age1…) in canonical form.

    Raises ValueError, which never repeats a key: a private key is easily pasted by mistake.
    """
    found: list[str] = []
    for number, key in enumerate(keys, start=1):
        if key.upper().startswith("AGE-SECRET-KEY-"):
            raise ValueError(
                f"key {number} is a private key, which must not be stored here; "
                "give the public key that belongs to it (age1…)"
            )
        try:
            found.append(str(x25519.Recipient.from_str(key)))
        except pyrage.RecipientError:
            raise ValueError(
                f"key {number} is not an age public key; age-keygen prints one: "
                "age1 and 58 more characters"
            ) from None
    if len(found) > MAX_RECIPIENTS:
        raise ValueError(f"{len(found)} keys are given; use one or two")
    if len(set(found)) < len(found):
        raise ValueError("the same key is given twice; use two different ones, or one")
    return found


def encrypt(chunks: Iterable[bytes], recipients: Sequence[str], file: Writable) -> None:
    """Write the chunks to `file`, encrypted for every recipient (at least one), innermost first.

    Chunks are consumed as needed and not kept, so memory stays flat: at most 64 KiB wait in each
    layer. Raises what `chunks` or `file` raised; the file is then cut off, and age refuses it.
    """
    *inner, outermost = recipients
    if not inner:
        _encrypt(_ChunkReader(chunks), outermost, file)
        return
    with _layer(outermost, file) as pipe:
        encrypt(chunks, inner, pipe)


class _ChunkReader:
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._remaining = b""

    def read(self, size: int) -> bytes:
        while not self._remaining:
            try:
                self._remaining = next(self._chunks)
            except StopIteration:
                return b""
        data, self._remaining = self._remaining[:size], self._remaining[size:]
        return data


class _AbandonedError(Exception):
    """The content ended too early; finishing the file would make it look complete."""


class _Pipe:
    """The reading end of a pipe. If the pipe is abandoned, its end isn't the end of the content."""

    def __init__(self, descriptor: int, abandoned: threading.Event) -> None:
        self._file = open(descriptor, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        self._abandoned = abandoned

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        if not data and self._abandoned.is_set():
            raise _AbandonedError
        return data

    def close(self) -> None:
        self._file.close()


@contextmanager
def _layer(recipient: str, file: Writable) -> Iterator[BinaryIO]:
    """A file to write to; a thread encrypts what it is given into `file`.

    pyrage pulls its content and pushes its output, so two layers need a thread and a pipe between
    them. The content is made in the caller's thread, which has the database connection.
    """
    abandoned = threading.Event()
    reading, writing = os.pipe()
    source = _Pipe(reading, abandoned)
    with open(writing, "wb", buffering=0) as sink, ThreadPoolExecutor(1) as pool:
        outer = pool.submit(_encrypt_pipe, source, recipient, file)
        try:
            yield sink
        except BaseException:
            abandoned.set()
            sink.close()
            # If this layer failed first, the caller only saw a broken pipe: this error says why.
            error = outer.exception()
            if error is not None and not isinstance(error, _AbandonedError):
                raise error from None
            raise
        sink.close()
        outer.result()


def _encrypt_pipe(source: _Pipe, recipient: str, file: Writable) -> None:
    try:
        _encrypt(source, recipient, file)
    finally:
        # The writing end gets an error instead of blocking forever.
        source.close()


def _encrypt(source: Readable, recipient: str, file: Writable) -> None:
    reader, writer = _ErrorRecorder(source), _ErrorRecorder(file)
    try:
        pyrage.encrypt_io(reader, writer, [x25519.Recipient.from_str(recipient)])
    except pyrage.EncryptError:
        if not (reader.error or writer.error):
            raise
    if error := reader.error or writer.error:
        raise error


class _ErrorRecorder:
    """A file that records the error it raised.

    pyrage turns every error, even an interrupt, into an EncryptError that contains its text, and
    doesn't report an error in its last write at all.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._file.read(size))
        except BaseException as error:
            self.error = error
            raise

    def write(self, data: bytes) -> int:
        try:
            return int(self._file.write(data))
        except BaseException as error:
            self.error = error
            raise

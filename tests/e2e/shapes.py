"""Finds an address in data, in any encoding in which it may have been left (G1–G10)."""

from __future__ import annotations

import html
import quopri
import re
import zlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

import idna

GZIP = b"\x1f\x8b\x08"
MAX_COMPRESSED = 8_000_000
"""The most bytes of a compressed part that are read."""
LETTERS = ("letters", "base64")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")

ENCODERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "small letters": str.lower,
    "capitals": str.upper,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of a line": lambda text: b64encode(f"to: {text},".encode()).decode(),
    "base64, for URLs": lambda text: urlsafe_b64encode(f"?{text}~".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex, capitals": lambda text: text.encode().hex().upper(),
    "percent": lambda text: quote(text, safe=""),
    "percent, every letter": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "quoted-printable": lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "backwards": lambda text: text[::-1],
}
"""Name of an encoding -> the function that encodes text with it, so that it can be planted."""


def traces(data: bytes, texts: Iterable[str]) -> list[str]:
    """Return which texts the data contains in which encodings; an empty list if it is clean."""
    found = set()
    shapes = {(text, *each) for text in texts for each in _shapes(text)}
    for packed in [data, *_unpack(data)]:
        for number, (raw, small) in enumerate(_readings(packed)):
            for text, name, shape in shapes:
                # A decoded reading contains plain letters only.
                if number and not name.startswith(LETTERS):
                    continue
                if shape in (small if "any case" in name else raw):
                    found.add(f"{text}: {name}")
    return sorted(found)


def _shapes(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each form to look for. Those named “any case” are in lower case,
    to be looked for in lower-cased data."""
    for name, form in _spellings(text.lower()):
        yield f"letters, {name}, any case", form.encode()
        yield f"{name}, backwards, any case", form[::-1].encode()
        # Without its last byte it is also what stands in UTF-16 of the other order.
        yield f"{name}, UTF-16, any case", form.encode("utf-16-le")[:-1]
        yield f"{name}, JSON, any case", form.encode("unicode_escape")
    for variant in {text, text.lower(), text.upper()}:
        for name, form in _spellings(variant):
            yield f"{name}, hex, any case", form.encode().hex().encode()
            # Letters beyond Latin have no small form byte by byte.
            yield f"{name}, UTF-16", form.encode("utf-16-le")[:-1]
            yield f"{name}, UTF-16, the other order", form.encode("utf-16-be")
            for encode in (b64encode, urlsafe_b64encode):
                for part in _alignments(form.encode(), encode):
                    yield f"base64, {name}", part


def _spellings(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text, and its other form if its domain is in Unicode or punycode."""
    yield "as it is", text
    local, _at, domain = text.rpartition("@")
    start = f"{local}@" if local else ""
    if not domain.isascii():
        yield "punycode", start + idna.encode(domain, uts46=True).decode()
    elif "xn--" in domain.lower():
        yield "Unicode", start + idna.decode(domain)


def _alignments(raw: bytes, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Yield the base64 of `raw` for each of the three alignments, without the characters that also
    depend on neighbouring bytes."""
    for before in range(3):
        coded = encode(b"\0" * before + raw).rstrip(b"=")
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        yield coded[first:last]


def _readings(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the data as it is, and decoded as a URL, an email, HTML and broken lines; each also in
    lower case."""
    entities = html.unescape(html.unescape(data.decode("utf-8", "surrogateescape")))
    for each in (
        data,
        unquote_to_bytes(data),
        quopri.decodestring(data),
        entities.encode("utf-8", "surrogateescape"),
        data.replace(b"\r\n", b"").replace(b"\n", b""),
    ):
        # bytes.lower() changes ASCII only.
        yield (
            each,
            each.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape"),
        )


def _unpack(data: bytes) -> Iterator[bytes]:
    """Yield what the data contains in gzip, and in base64, as the broker's messages are."""
    start = data.find(GZIP)
    while start >= 0:
        with suppress(zlib.error):  # not gzip after all
            yield zlib.decompressobj(wbits=31).decompress(data[start : start + MAX_COMPRESSED])
        start = data.find(GZIP, start + 1)
    yield b"\n".join(_decoded(run) for run in BASE64.findall(data))


def _decoded(run: bytes) -> bytes:
    whole = run.rstrip(b"=")
    return b64decode(whole[: len(whole) // 4 * 4])

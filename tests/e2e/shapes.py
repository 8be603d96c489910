"""The shapes in which an address may have been left, and whether one is in some data (G1–G10)."""

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
WINDOW = 8_000_000
"""Bytes that one packed part may have."""
LETTERS = ("letters", "base64")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")

WRITTEN: dict[str, Callable[[str], str]] = {
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
"""Name of a shape -> what writes it as text, so that it can be planted anywhere."""


def traces(data: bytes, texts: Iterable[str]) -> list[str]:
    """In which shape which text stands in the data; [] where it is clean."""
    found = set()
    shapes = {(text, *each) for text in texts for each in _shapes(text)}
    for packed in [data, *_unpacked(data)]:
        for number, (raw, small) in enumerate(_read(packed)):
            for text, name, shape in shapes:
                # What is read as something else holds letters.
                if number and not name.startswith(LETTERS):
                    continue
                if shape in (small if "any case" in name else raw):
                    found.add(f"{text}: {name}")
    return sorted(found)


def _shapes(text: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the shapes that are looked for; those named "any case" are in small
    letters, for data that are."""
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
    """The text, and where its domain has another form, in Unicode or punycode, that too."""
    yield "as it is", text
    local, _at, domain = text.rpartition("@")
    start = f"{local}@" if local else ""
    if not domain.isascii():
        yield "punycode", start + idna.encode(domain, uts46=True).decode()
    elif "xn--" in domain.lower():
        yield "Unicode", start + idna.decode(domain)


def _alignments(raw: bytes, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The letters that stand for `raw` in base64, wherever in a text it begins: those that also
    depend on a neighbour are cut off."""
    for before in range(3):
        coded = encode(b"\0" * before + raw).rstrip(b"=")
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        yield coded[first:last]


def _read(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The data as they are, and as those read them who take them for a URL, a mail, a page, or
    for lines that were broken; each also in small letters."""
    entities = html.unescape(html.unescape(data.decode("utf-8", "surrogateescape")))
    for each in (
        data,
        unquote_to_bytes(data),
        quopri.decodestring(data),
        entities.encode("utf-8", "surrogateescape"),
        data.replace(b"\r\n", b"").replace(b"\n", b""),
    ):
        # Of bytes, lower() knows ASCII only.
        yield (
            each,
            each.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape"),
        )


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What is packed in the data: in gzip, and in base64, as the broker's messages are."""
    start = data.find(GZIP)
    while start >= 0:
        with suppress(zlib.error):  # three bytes that only look like the beginning
            yield zlib.decompressobj(wbits=31).decompress(data[start : start + WINDOW])
        start = data.find(GZIP, start + 1)
    yield b"\n".join(_decoded(run) for run in BASE64.findall(data))


def _decoded(run: bytes) -> bytes:
    whole = run.rstrip(b"=")
    return b64decode(whole[: len(whole) // 4 * 4])

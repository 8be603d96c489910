"""Quoted-printable (RFC 2045, 6.7) in pieces, so that a place in a text can be filled later.

Each place stands on lines of its own between soft breaks, so that what fills it never makes
another line too long. No line begins with a dot, which makes dot-stuffing (RFC 5321, 4.5.2)
the identity, nor with "From ", which some mailboxes change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_LINE_LENGTH = 76
_DOT = ord(".")
_ENCODED = tuple(
    chr(byte) if 33 <= byte <= 126 and byte != ord("=") else f"={byte:02X}" for byte in range(256)
)
_NEWLINE = re.compile(r"\r\n|\r|\n")


def normalize_newlines(text: str) -> str:
    """The text with each newline as LF."""
    return _NEWLINE.sub("\n", text)


def split_lines(text: str) -> list[str]:
    """Split at CR LF, CR and LF; str.splitlines would split at more."""
    return _NEWLINE.split(text)


def encode_line(text: str, *, ends: bool) -> bytes:
    """One line, or a piece of it, wrapped by soft breaks.

    `ends`: a hard line break follows, so white space at the end is written out.
    """
    tokens = [_encode_byte(byte) for byte in text.encode("utf-8")]
    if ends and tokens and tokens[-1] in {" ", "\t"}:
        tokens[-1] = f"={ord(tokens[-1]):02X}"
    return "=\r\n".join(_wrap(tokens)).encode("ascii")


def encode_value(url: str) -> bytes:
    """What fills a place: lines of its own, joined by soft breaks."""
    return encode_line(url, ends=False)


def encode_url(url: bytes) -> bytes:
    """`encode_value` for a URL of visible ASCII, in a fraction of the time: a send-out calls it
    for every reader."""
    if b"=" in url:
        escaped = url.replace(b"=", b"=3D")
        return escaped if len(escaped) < MAX_LINE_LENGTH else encode_value(url.decode("ascii"))
    if len(url) < MAX_LINE_LENGTH:
        return url
    if len(url) < 2 * MAX_LINE_LENGTH - 1 and url[MAX_LINE_LENGTH - 1] != _DOT:
        return url[: MAX_LINE_LENGTH - 1] + b"=\r\n" + url[MAX_LINE_LENGTH - 1 :]
    for width in range(MAX_LINE_LENGTH - 1, MAX_LINE_LENGTH - 12, -1):
        # A line must not begin with a dot.
        if b"." not in url[width::width]:
            return b"=\r\n".join([url[at : at + width] for at in range(0, len(url), width)])
    return encode_value(url.decode("ascii"))


def _encode_byte(byte: int) -> str:
    return chr(byte) if byte in (0x20, 0x09) else _ENCODED[byte]


def _wrap(tokens: list[str]) -> Iterator[str]:
    """Lines of at most LINE - 1 characters: a soft break's "=" has room on each."""
    line: list[str] = []
    length = 0
    for token in tokens:
        if length + len(token) > MAX_LINE_LENGTH - 1:
            yield _escape_line_start("".join(line))
            line, length = [], 0
        line.append(token)
        # The dot or F of a line's beginning becomes three characters.
        length += 3 if len(line) == 1 else len(token)
    yield _escape_line_start("".join(line))


def _escape_line_start(line: str) -> str:
    if line.startswith("."):
        return "=2E" + line[1:]
    return "=46" + line[1:] if line.startswith("From ") else line

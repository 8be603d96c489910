"""Quoted-printable (RFC 2045, 6.7) in segments, so that placeholders can be filled later.

Each placeholder is on separate lines between soft line breaks, so that its value never makes
another line too long. No line starts with a dot, so there is nothing to dot-stuff (RFC 5321,
4.5.2), nor with "From ", which some mailboxes change.
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
    """Return the text with LF for every line break."""
    return _NEWLINE.sub("\n", text)


def split_lines(text: str) -> list[str]:
    """Split at CR LF, CR and LF only; str.splitlines splits at other characters too."""
    return _NEWLINE.split(text)


def encode_line(text: str, *, hard_break: bool) -> bytes:
    """Encode a line, or part of one, and wrap it with soft line breaks.

    If a hard line break follows it (`hard_break`), whitespace at the end is encoded.
    """
    tokens = [_encode_byte(byte) for byte in text.encode("utf-8")]
    if hard_break and tokens and tokens[-1] in {" ", "\t"}:
        tokens[-1] = f"={ord(tokens[-1]):02X}"
    return "=\r\n".join(_wrap(tokens)).encode("ascii")


def encode_value(url: str) -> bytes:
    """Encode the value of a placeholder."""
    return encode_line(url, hard_break=False)


def encode_url(url: bytes) -> bytes:
    """Return `encode_value` of a URL of visible ASCII characters, in a fraction of the time.

    A mailing calls this for every reader.
    """
    if b"=" in url:
        escaped = url.replace(b"=", b"=3D")
        return escaped if len(escaped) < MAX_LINE_LENGTH else encode_value(url.decode("ascii"))
    if len(url) < MAX_LINE_LENGTH:
        return url
    if len(url) < 2 * MAX_LINE_LENGTH - 1 and url[MAX_LINE_LENGTH - 1] != _DOT:
        return url[: MAX_LINE_LENGTH - 1] + b"=\r\n" + url[MAX_LINE_LENGTH - 1 :]
    for width in range(MAX_LINE_LENGTH - 1, MAX_LINE_LENGTH - 12, -1):
        # A line must not start with a dot.
        if b"." not in url[width::width]:
            return b"=\r\n".join([url[at : at + width] for at in range(0, len(url), width)])
    return encode_value(url.decode("ascii"))


def _encode_byte(byte: int) -> str:
    return chr(byte) if byte in (0x20, 0x09) else _ENCODED[byte]


def _wrap(tokens: list[str]) -> Iterator[str]:
    """Yield lines of at most MAX_LINE_LENGTH - 1 characters, leaving room for a soft "="."""
    line: list[str] = []
    length = 0
    for token in tokens:
        if length + len(token) > MAX_LINE_LENGTH - 1:
            yield _escape_line_start("".join(line))
            line, length = [], 0
        line.append(token)
        # A dot or F at the start of a line may become three characters.
        length += 3 if len(line) == 1 else len(token)
    yield _escape_line_start("".join(line))


def _escape_line_start(line: str) -> str:
    if line.startswith("."):
        return "=2E" + line[1:]
    return "=46" + line[1:] if line.startswith("From ") else line

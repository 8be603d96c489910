"""Header lines as bytes. Non-ASCII text becomes encoded words, except in List-* headers."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode

from newsletter.transport.addresses import to_ace
from newsletter.transport.base import CompileError

MAX_LINE_LENGTH = 998
"""Octets without CR LF (RFC 5322, 2.1.1)."""
RESERVED_HEADERS = frozenset(
    {
        *("from", "sender", "reply-to", "to", "cc", "bcc", "date", "message-id", "subject"),
        *("mime-version", "content-type", "content-transfer-encoding"),
        *("return-path", "received", "dkim-signature"),
    }
)
"""Headers that the transport writes itself (A1), so Email.headers may not set them."""
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ATOM_TEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def single_line(what: str, text: str) -> str:
    """Return the text, trimmed.

    Raises CompileError for a control character: CR or LF would allow header injection (A2).
    """
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise CompileError(f"{what}: contains a line break or another control character")
    return text.strip()


def header_line(name: str, value: str) -> bytes:
    """Return the line for one of Email.headers. Raises CompileError."""
    if not _HEADER_NAME.fullmatch(name) or name.lower() in RESERVED_HEADERS:
        raise CompileError(f"{name!r} is not a header that an email may set")
    value = single_line(name, value)
    if name.lower().startswith("list-"):
        return _checked_line(name, list_header_value(name, value))
    return _checked_line(
        name, value if _is_plain(name, value) else encoded_words(value, len(name) + 2)
    )


def list_header_value(name: str, value: str) -> str:
    """Return the value of a List-* header, which may not contain encoded words.

    Gmail and Outlook drop their Unsubscribe button if it does (trap 1). The phrase before
    List-Id's identifier is optional (RFC 2919, 2), so a non-ASCII phrase is left out. Any other
    non-ASCII value raises CompileError.
    """
    if name.lower() == "list-id" and not value.isascii() and value.endswith(">"):
        value = value[value.rindex("<") :] if "<" in value else value
    if not value.isascii() or "=?" in value:
        raise CompileError(f"{name}: only ASCII is allowed")
    return value


def subject_line(text: str) -> bytes:
    """Return the Subject line, folded if it is long. Raises CompileError."""
    text = single_line("the subject", text)
    plain = _is_plain("Subject", text) and len(text) <= 66
    return _checked_line("Subject", text if plain else encoded_words(text, len("Subject: ")))


def address_line(header: str, name: str, address: str) -> bytes:
    """Return `From: "Name, of the desk" <desk@xn--….example>` (F7). Raises CompileError."""
    encoded = to_ace(address)
    if encoded is None:
        raise CompileError(f"{header}: not an address that can be sent from")
    name = single_line(f"the name in {header}", name)
    return _checked_line(
        header, f"{_phrase(name, len(header) + 2)} <{encoded}>" if name else encoded
    )


def _phrase(name: str, used: int) -> str:
    if not name.isascii() or "=?" in name or len(name) > 60:
        return encoded_words(name, used)
    if _ATOM_TEXT.fullmatch(name) and "  " not in name:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_plain(name: str, value: str) -> bool:
    return value.isascii() and "=?" not in value and len(name) + 2 + len(value) <= MAX_LINE_LENGTH


def encoded_words(text: str, used: int) -> str:
    """Return the text as RFC 2047 encoded words, folded.

    `used` is how many characters precede them on the first line.
    """
    chunks, chunk, room = [], b"", _encoded_word_capacity(used)
    for char in text:
        encoded = char.encode("utf-8")
        if len(chunk) + len(encoded) > room:
            chunks.append(chunk)
            chunk, room = b"", _encoded_word_capacity(1)
        chunk += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(part).decode()}?=" for part in [*chunks, chunk])


def _encoded_word_capacity(used: int) -> int:
    """Return how many bytes fit an encoded word of 75 characters on a line of 76 (RFC 2047, 2)."""
    return max((min(75, 76 - used) - len("=?utf-8?b??=")) // 4 * 3, 9)


def _checked_line(name: str, value: str) -> bytes:
    line = f"{name}: {value}".encode("ascii")
    if max(map(len, line.split(b"\r\n"))) > MAX_LINE_LENGTH:
        raise CompileError(f"{name}: longer than {MAX_LINE_LENGTH} octets")
    return line

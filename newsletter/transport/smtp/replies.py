"""Parses a relay's bytes into replies (RFC 5321, 4.2.1), however they are split. Pure.

Anything else raises BadReplyError: a code outside 200–599, a line without a code, a line or a
reply that never ends. Lines that end in LF alone are accepted, as every mail client does.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_LINE_LENGTH = 4096
"""Octets; RFC 5321 (4.5.3.1.5) has 512, and some relays advertise more in one line."""
MAX_LINES = 128
_CODES = {str(code).encode(): code for code in range(200, 600)}

Reply = tuple[int, bytes]
"""The code, and the text with its lines joined by LF. Never keep the text: it echoes addresses
(G1)."""


class BadReplyError(Exception):
    """Not a valid reply. Contains nothing of what was received."""


class ReplyParser:
    """Parses the replies of one connection."""

    def __init__(self) -> None:
        self._partial_line = b""
        self._previous_lines: list[bytes] = []
        self._code = 0

    @property
    def is_between_replies(self) -> bool:
        """Whether no reply is incomplete."""
        return not self._partial_line and not self._previous_lines

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that are complete. Raises BadReplyError at the first invalid one."""
        lines = (self._partial_line + data if self._partial_line else data).split(b"\n")
        self._partial_line = lines.pop()
        for line in lines:
            code = _CODES.get(line[:3])
            if code is None or len(line) > MAX_LINE_LENGTH:
                raise BadReplyError
            separator = line[3:4]
            if separator == b" " and not self._previous_lines:
                yield code, line[4:]
                continue
            complete = self._add_line(code, separator, line[4:].rstrip(b"\r"))
            if complete is not None:
                yield complete
        if len(self._partial_line) > MAX_LINE_LENGTH:
            raise BadReplyError

    def _add_line(self, code: int, separator: bytes, text: bytes) -> Reply | None:
        """Add a line of a multi-line reply, or one without text; return a complete reply."""
        if self._previous_lines and code != self._code:
            raise BadReplyError
        self._previous_lines.append(text)
        self._code = code
        if separator == b"-":
            if len(self._previous_lines) >= MAX_LINES:
                raise BadReplyError
            return None
        if separator not in (b" ", b"\r", b""):
            raise BadReplyError
        joined, self._previous_lines = b"\n".join(self._previous_lines), []
        return code, joined

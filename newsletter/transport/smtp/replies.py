"""Bytes from a relay -> its replies (RFC 5321, 4.2.1), however they are cut into packets. Pure.

What is no reply is Nonsense: a code outside 200 to 599, a line without one, a line or a reply
without an end. Lines that end in LF alone are taken, as every mail program does.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_LINE_LENGTH = 4096
"""Octets; RFC 5321 (4.5.3.1.5) has 512, and some relays advertise more in one line."""
MAX_LINES = 128
_CODES = {str(code).encode(): code for code in range(200, 600)}

Reply = tuple[int, bytes]
"""The code, and the text: lines are joined by LF. It may echo addresses (G1): never keep it."""


class BadReplyError(Exception):
    """Not a reply. Holds nothing of what was said."""


class ReplyParser:
    """Reads one connection. `tail` is a line that has no end yet."""

    def __init__(self) -> None:
        self.tail = b""
        self._before: list[bytes] = []
        self._code = 0

    @property
    def is_between(self) -> bool:
        """Whether no reply has begun that has no end yet."""
        return not self.tail and not self._before

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that are complete now. Raises Nonsense after those before it."""
        lines = (self.tail + data if self.tail else data).split(b"\n")
        self.tail = lines.pop()
        for line in lines:
            code = _CODES.get(line[:3])
            if code is None or len(line) > MAX_LINE_LENGTH:
                raise BadReplyError
            mark = line[3:4]
            if mark == b" " and not self._before:
                yield code, line[4:]
                continue
            complete = self._several(code, mark, line[4:].rstrip(b"\r"))
            if complete is not None:
                yield complete
        if len(self.tail) > MAX_LINE_LENGTH:
            raise BadReplyError

    def _several(self, code: int, mark: bytes, text: bytes) -> Reply | None:
        """One line of a reply of several, or one without a text."""
        if self._before and code != self._code:
            raise BadReplyError
        self._before.append(text)
        self._code = code
        if mark == b"-":
            if len(self._before) >= MAX_LINES:
                raise BadReplyError
            return None
        if mark not in (b" ", b"\r", b""):
            raise BadReplyError
        whole, self._before = b"\n".join(self._before), []
        return code, whole

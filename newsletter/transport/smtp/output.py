"""The bytes that wait to be written to a connection, and how far they have got. No I/O."""

from __future__ import annotations

from collections.abc import Sequence


class OutputBuffer:
    """A queue of chunks, with positions counted in octets since the connection was opened.

    `queued` octets were added and `written` octets were taken by the socket. `maybe_sent` octets
    may have left: with TLS more than `written`, because a record that is only partly written may
    still be sent.
    """

    def __init__(self) -> None:
        self.chunks: list[bytes | memoryview] = []
        self.queued = self.written = self.maybe_sent = 0

    def __bool__(self) -> bool:
        return bool(self.chunks)

    @property
    def waiting(self) -> int:
        """How many octets wait to be written."""
        return self.queued - self.written

    def add(self, data: bytes) -> None:
        if data:
            self.chunks.append(data)
            self.queued += len(data)

    def add_content(self, segments: Sequence[bytes], size: int) -> None:
        """Add `size` octets of content without copying its segments."""
        self.chunks += segments
        self.queued += size

    def join(self) -> None:
        """Join the chunks into one: TLS gains nothing from separate ones."""
        self.chunks[:] = [b"".join(self.chunks)]

    def mark_written(self, count: int) -> None:
        """Drop the next `count` octets, which the socket has taken."""
        self.written += count
        self.maybe_sent = max(self.maybe_sent, self.written)
        if self.written == self.queued:
            self.chunks.clear()
            return
        whole = 0
        while count >= len(self.chunks[whole]):
            count -= len(self.chunks[whole])
            whole += 1
        del self.chunks[:whole]
        if count:
            self.chunks[0] = memoryview(self.chunks[0])[count:]

    def discard(self) -> None:
        """Drop what was not written."""
        self.chunks.clear()
        self.written = self.queued

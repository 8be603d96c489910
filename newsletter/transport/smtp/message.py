"""A message that an SMTP connection hands over."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.transport.decisions import Step
from newsletter.transport.outcomes import SendResult


class Message:
    """One recipient's message on its way.

    `content` is 7-bit, ends in CR LF, and has no line that starts with a dot. Most of its segments
    are shared by all messages, so nothing is copied before the kernel does it. `end` is the
    position of its last octet in the connection's output, or 0 while that is unknown.
    """

    __slots__ = ("content", "end", "position", "rcpt", "refused_at", "result", "sender", "size")

    def __init__(self, position: int, sender: bytes, rcpt: bytes, content: Sequence[bytes]) -> None:
        self.position = position
        self.sender = sender
        self.rcpt = rcpt
        self.content = content
        self.size = sum(map(len, content))
        self.reset()

    def reset(self) -> None:
        """Make the message ready for another connection."""
        self.end = 0
        self.refused_at: Step | None = None
        self.result: SendResult | None = None

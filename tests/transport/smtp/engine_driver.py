"""Drives an SMTP engine without a network."""

from __future__ import annotations

from typing import Any

from newsletter.transport.outcomes import Result
from newsletter.transport.smtp.engine import Engine
from newsletter.transport.smtp.message import Message
from newsletter.transport.smtp.url import Relay


def engine(**options: Any) -> Engine:
    fields: dict[str, Any] = {"host": "relay.example", "port": 25, "tls": "never", "helo": "me"}
    return Engine(Relay(**{**fields, **options}))


def message(position: int) -> Message:
    rcpt = f"reader{position}@mail.example".encode()
    return Message(position, b"desk@news.example", rcpt, [content(rcpt)])


def content(rcpt: bytes) -> bytes:
    return b"To: %b\r\n\r\nHello\r\n" % rcpt


def has_room(peer: Engine) -> bool:
    """Return `peer.has_room`. (mypy narrows a property that was asserted, but not a call.)"""
    return peer.has_room


def said(peer: Engine) -> list[str]:
    """Return the lines that the engine wrote since the last call."""
    data = b"".join(bytes(chunk) for chunk in peer.output.chunks)
    peer.output.mark_written(len(data))
    return data.decode().split("\r\n")[:-1]


def hear(peer: Engine, *lines: str) -> list[str]:
    peer.receive("".join(f"{line}\r\n" for line in lines).encode())
    return said(peer)


def ready(*extensions: str, **options: Any) -> Engine:
    """Return an engine after the handshake and two messages, so that its window is open."""
    peer = engine(**options)
    hear(peer, "220 relay.example ESMTP")
    hear(peer, *(f"250-{name}" for name in ("relay.example", *extensions)), "250 HELP")
    assert peer.is_ready
    for position in (98, 99):
        peer.start(message(position))
        if "CHUNKING" in extensions:
            hear(peer, *["250 ok"] * 3)
        elif "PIPELINING" in extensions:
            hear(peer, "250 ok", "250 ok", "354 go on")
            hear(peer, "250 taken")
        else:
            for reply in ("250 ok", "250 ok", "354 go on", "250 taken"):
                hear(peer, reply)
    assert [send_result.result for send_result in peer.results] == [Result.SENT] * 2
    peer.results.clear()
    said(peer)
    return peer

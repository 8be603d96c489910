"""An SMTP relay that repeats the recipient's address in its error texts, as real ones do (G1), and
records what it accepted."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _AnyPort(Controller):
    """Aiosmtpd's controller connects to its own port at the start, which fails for port 0."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class EchoingRelay:
    """Behaves by the local part of the address: “gone” is refused permanently, “later” is deferred
    once, and “spam” is refused after the message was transferred."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, bytes]] = []
        """Recipient and message, recorded before the relay replies."""
        self.return_paths: list[str] = []
        """The envelope sender of each accepted message."""
        self.error_codes: Counter[str] = Counter()
        """How often it replied with each error code."""
        self.pause = 0.0
        """Seconds that it waits before it accepts a message."""
        self.hold_after: int | None = None
        """Once it has accepted so many messages in all, it replies no more until this is None."""
        self._deferred: set[str] = set()
        self._lock = threading.Lock()
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> Self:
        self._controller.start()
        self.port: int = self._controller.port
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._controller.stop()

    def messages(self, address: str) -> list[bytes]:
        with self._lock:
            return [message for to, message in self.accepted if to.lower() == address.lower()]

    def recipients(self, domain: str) -> Counter[str]:
        """Return how often it accepted a message for each address at a domain."""
        with self._lock:
            return Counter(to for to, _message in self.accepted if to.endswith(f"@{domain}"))

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        local = address.lower().partition("@")[0]
        if "gone" in local:
            return self._reply(f"550 5.1.1 <{address}> unknown, no such user as {address}")
        if "later" in local and local not in self._deferred:
            self._deferred.add(local)
            return self._reply(f"451 4.7.1 <{address}> is greylisted, try again")
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (address,) = envelope.rcpt_tos
        if "spam" in address.lower():
            return self._reply(f"554 5.7.1 <{address}> does not want this")
        with self._lock:
            self.accepted.append((address, envelope.original_content or b""))
            self.return_paths.append(envelope.mail_from or "")
        await asyncio.sleep(self.pause)
        while self.hold_after is not None and len(self.accepted) >= self.hold_after:
            await asyncio.sleep(0.02)
        return f"250 2.0.0 taken for {address}"

    def _reply(self, text: str) -> str:
        self.error_codes[text[:3]] += 1
        return text

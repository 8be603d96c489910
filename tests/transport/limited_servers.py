"""A relay and a provider that accept only so much in any second, and record what they saw."""

from __future__ import annotations

import socketserver
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from tests.transport.provider import Answer, Provider, Request, Scaleway


class Limiter:
    """Accepts at most `limit` in any `seconds`; `accepted` and `refused` are moments."""

    def __init__(self, limit: int, seconds: float = 1.0) -> None:
        self.limit, self.seconds = limit, seconds
        self.accepted: list[float] = []
        self.refused: list[float] = []
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    def accepts(self) -> bool:
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - self.seconds:
                self._recent.popleft()
            if len(self._recent) >= self.limit:
                self.refused.append(now)
                return False
            self._recent.append(now)
            self.accepted.append(now)
            return True

    def busiest(self, seconds: float) -> int:
        """Return how many were accepted in the busiest window of this length."""
        moments = self.accepted
        return max(sum(start <= each < start + seconds for each in moments) for start in moments)


class LimitedRelay:
    """An SMTP relay that says 454 at MAIL above its limit. It offers PIPELINING."""

    def __init__(self, limit: int, seconds: float = 1.0, *, reply: str = "454 4.7.0 slow down"):
        self.limiter = Limiter(limit, seconds)
        self.recipients: list[str] = []
        relay = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    relay._serve(self, reply)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _serve(self, session: Any, reply: str) -> None:
        def say(text: str) -> None:
            session.wfile.write(f"{text}\r\n".encode())

        say("220 relay.example")
        accepts, recipient = False, ""
        while line := session.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "EHLO":
                say("250-relay.example\r\n250 PIPELINING")
            elif verb == "MAIL":
                accepts = self.limiter.accepts()
                say("250 2.1.0 ok" if accepts else reply)
            elif verb in {"RCPT", "DATA"} and not accepts:
                say("503 5.5.1 MAIL first")
            elif verb == "RCPT":
                recipient = line
                say("250 2.1.5 ok")
            elif verb == "DATA":
                say("354 go on")
                while session.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.recipients.append(recipient)
                say("250 2.0.0 queued")
            elif verb == "QUIT":
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 ok")


class LimitedProvider(Scaleway):
    """A provider that answers 429 with Retry-After above its limit of calls."""

    def __init__(self, limit: int, seconds: float = 1.0, *, retry_after: int = 1) -> None:
        self.limiter = Limiter(limit, seconds)
        self.retry_after = retry_after
        Provider.__init__(self)

    def answer(self, request: Request) -> Answer:
        if self.limiter.accepts():
            return super().answer(request)
        return Answer(429, "{}", (("Retry-After", str(self.retry_after)),))

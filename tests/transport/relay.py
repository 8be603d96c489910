"""An SMTP relay on loopback that replies as a test tells it to."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress
from typing import BinaryIO

HANG_UP = "HANG UP"
RESET = "RESET"
TOO_MANY = "421 4.7.0 relay.example Error: too many connections from 127.0.0.1"
SILENT = "SILENT"

_USUAL = {
    "greeting": "220 relay.example ESMTP",
    "DATA": "354 go on",
    ".": "250 2.0.0 queued as 7F3A",
    "503": "503 5.5.1 MAIL first",
    "QUIT": "221 2.0.0 bye",
    "AUTH": "235 2.7.0 welcome",
}


class Relay:
    """A relay with scripted replies: `answers[verb]` are the next ones, then come the usual ones.

    HANG_UP closes the connection, after sending any text before it, and RESET resets it. After
    SILENT the connection gets no more replies. `pipelines` offers PIPELINING. At most `limit`
    connections are served at a time; others get `refusal`. With `tls`, it is spoken from the first
    byte.
    """

    def __init__(
        self,
        *,
        pipelines: bool = False,
        offers: str = "AUTH PLAIN LOGIN",
        limit: int = 1000,
        refusal: str = TOO_MANY + HANG_UP,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.limit, self.refusal = limit, refusal
        self.refused = self.most_at_once = self.served = 0
        self._lock = threading.Lock()
        self._tls = tls
        self.answers: defaultdict[str, deque[str]] = defaultdict(deque)
        self._usual = {
            **_USUAL,
            "EHLO": f"250-relay.example\r\n250-{offers}\r\n250-SMTPUTF8\r\n"
            + ("250 PIPELINING" if pipelines else "250 HELP"),
        }
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.delays: dict[str, float] = {}
        """Seconds to wait before each reply to a verb."""
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def answer(self, verb: str, *texts: str) -> None:
        self.answers[verb].extend(texts)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(5)

    def hang_up(self) -> None:
        """Close all connections, as a relay does with idle ones."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait_until_idle(self, seconds: float = 10.0) -> None:
        """Wait until the relay has noticed that every connection is closed."""
        deadline = time.monotonic() + seconds
        while self.served:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.served} connections are still open")
            time.sleep(0.01)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                # Else the second of two replies waits 40 ms for an acknowledgement.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                threading.Thread(target=self._admit, args=(connection,), daemon=True).start()

    def _admit(self, connection: socket.socket) -> None:
        with self._lock:
            admitted = self.served < self.limit
            self.served += admitted
            self.refused += not admitted
            self.most_at_once = max(self.most_at_once, self.served)
        if not admitted:
            with suppress(OSError), connection:
                self._send(connection, self.refusal)
            return
        try:
            with suppress(OSError):
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._serve(connection)
        finally:
            with self._lock:
                self.served -= 1

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reading:
            if not self._say(connection, "greeting")[0]:
                return
            refused = False
            while line := reading.readline():
                command = line.decode().strip()
                self.commands.append(command)
                verb = command.partition(" ")[0].upper()
                goes_on, text = self._say(
                    connection, verb if not refused or verb not in {"RCPT", "DATA"} else "503"
                )
                refused = (verb == "MAIL" and not text.startswith("2")) or (
                    refused and verb == "RCPT"
                )
                if text == SILENT:
                    _only_listen(reading)
                if not goes_on:
                    return
                if verb == "DATA" and text.startswith("354"):
                    message = b""
                    while (line := reading.readline()) not in (b".\r\n", b""):
                        message += line
                    if not line:
                        return
                    self.messages.append(message)
                    goes_on, text = self._say(connection, ".")
                    if text == SILENT:
                        _only_listen(reading)
                    if not goes_on:
                        return

    def _say(self, connection: socket.socket, verb: str) -> tuple[bool, str]:
        """Send a reply; return whether the connection stays open, and the reply."""
        time.sleep(self.delays.get(verb, 0))
        try:  # two connections may need the last one at once
            text = self.answers[verb].popleft()
        except IndexError:
            text = self._usual.get(verb, "250 2.1.0 ok")
        return self._send(connection, text), text

    def _send(self, connection: socket.socket, text: str) -> bool:
        """Send a reply; return whether the connection stays open."""
        if text == SILENT:
            return True
        if text == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        said, hang_up, _ = text.partition(HANG_UP)
        if said:
            connection.sendall(f"{said.strip()}\r\n".encode())
        if hang_up:
            connection.shutdown(socket.SHUT_RDWR)
        return not hang_up


def _only_listen(reading: BinaryIO) -> None:
    while reading.readline():
        pass

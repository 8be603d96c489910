"""An SMTP relay on loopback that replies as a test tells it to."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress
from typing import BinaryIO

HANG_UP = "HANG UP"
SILENT = "SILENT"

_USUAL = {
    "greeting": "220 relay.example ESMTP",
    "EHLO": "250-relay.example\r\n250-AUTH PLAIN LOGIN\r\n250-SMTPUTF8",
    "DATA": "354 go on",
    ".": "250 2.0.0 queued as 7F3A",
    "503": "503 5.5.1 MAIL first",
    "QUIT": "221 2.0.0 bye",
    "AUTH": "235 2.7.0 welcome",
}


class Relay:
    """A relay with scripted replies: `answers[verb]` are the next ones, then come the usual ones.

    HANG_UP closes the connection, after sending any text before it. After SILENT the connection
    gets no more replies. `pipelines` offers PIPELINING.
    """

    def __init__(self, *, pipelines: bool = False) -> None:
        self.answers: defaultdict[str, deque[str]] = defaultdict(deque)
        self._usual = {
            **_USUAL,
            "EHLO": _USUAL["EHLO"] + ("\r\n250 PIPELINING" if pipelines else "\r\n250 HELP"),
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

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as reading:
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
        if text == SILENT:
            return True, text
        said, hang_up, _ = text.partition(HANG_UP)
        if said:
            connection.sendall(f"{said.strip()}\r\n".encode())
        if hang_up:
            connection.shutdown(socket.SHUT_RDWR)
        return not hang_up, text


def _only_listen(reading: BinaryIO) -> None:
    while reading.readline():
        pass

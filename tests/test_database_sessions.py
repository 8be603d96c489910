"""A pool that gives sessions to other clients is refused (newsletter.E020, E021)."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.checks import CheckMessage
from django.db import connections
from django.db.utils import ConnectionHandler

from newsletter import checks
from newsletter.lib import database_sessions
from newsletter.lib.environment import parse_database
from tests.chaos.servers import Postgres

HAS_POSTGRESQL = shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not HAS_POSTGRESQL, reason="no PostgreSQL on this machine"),
]


class TransactionPool:
    """As PgBouncer in transaction mode with one session: it is lent for a transaction at a time."""

    def __init__(self, port: int, *, refused: bytes = b"") -> None:
        self._server = socket.create_connection(("127.0.0.1", port))
        self._greeting = b""
        self._lent = threading.Lock()
        self._refused = refused
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError):
            while (packet := read_startup(client))[4:8] in (SSL_REQUEST, GSS_REQUEST):
                client.sendall(b"N")
            if self._refused and self._refused in packet:
                text = b"SFATAL\0C08P01\0Munsupported startup parameter: " + self._refused + b"\0\0"
                client.sendall(b"E" + (len(text) + 4).to_bytes(4, "big") + text)
                return
            with self._lent:
                if not self._greeting:
                    self._server.sendall(packet)
                    self._greeting = self._until_ready()
            client.sendall(self._greeting)
            while True:
                self._transaction(client)

    def _transaction(self, client: socket.socket) -> None:
        message = read_message(client)
        with self._lent:
            while True:
                if message[:1] == b"X":
                    raise EOFError
                self._server.sendall(message)
                if message[:1] in b"QS":  # a query, or Sync
                    reply = self._until_ready()
                    client.sendall(reply)
                    if reply[-1:] == b"I":
                        return
                message = read_message(client)

    def _until_ready(self) -> bytes:
        found = b""
        while (message := read_message(self._server))[:1] != b"Z":
            found += message
        return found + message


SSL_REQUEST, GSS_REQUEST = (80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big")


def read_exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_startup(line: socket.socket) -> bytes:
    length = read_exactly(line, 4)
    return length + read_exactly(line, int.from_bytes(length, "big") - 4)


def read_message(line: socket.socket) -> bytes:
    head = read_exactly(line, 5)
    return head + read_exactly(line, int.from_bytes(head[1:], "big") - 4)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="tydzen-sessions-"))
    folder.chmod(0o755)  # the database's user must be able to enter it
    server = Postgres(folder)
    server.start_and_wait()
    yield server
    server.stop()
    shutil.rmtree(folder)


def check(monkeypatch: pytest.MonkeyPatch, url: str) -> list[CheckMessage]:
    """Run the check with this database instead of the tests'."""
    handler = ConnectionHandler({"default": parse_database(url)})
    monkeypatch.setattr(checks, "connections", handler)
    monkeypatch.setattr(database_sessions, "connections", handler)
    return checks.database_keeps_sessions(None)


def through(pool: TransactionPool, url: str) -> str:
    return urlsplit(url)._replace(netloc=f"postgres@127.0.0.1:{pool.port}").geturl()


def test_a_server_without_a_pool_is_accepted(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(monkeypatch, postgres.url) == []


def test_a_pool_in_transaction_mode_is_refused(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = TransactionPool(postgres.port)
    (error,) = check(monkeypatch, through(pool, postgres.url))
    pool.close()
    assert error.id == "newsletter.E020"
    assert "pool_mode to session" in str(error.hint)


def test_a_pool_that_refuses_our_parameter_is_named(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = TransactionPool(postgres.port, refused=b"options")
    (error,) = check(monkeypatch, through(pool, postgres.url))
    pool.close()
    assert error.id == "newsletter.E020"
    assert "startup parameter" in error.msg


def test_commits_that_are_not_durable_are_refused(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool may ignore what the connection asks for."""
    parse = parse_database(postgres.url)
    parse["OPTIONS"]["options"] = "-c synchronous_commit=off"
    handler = ConnectionHandler({"default": parse})
    monkeypatch.setattr(checks, "connections", handler)
    monkeypatch.setattr(database_sessions, "connections", handler)
    (error,) = checks.database_keeps_sessions(None)
    assert error.id == "newsletter.E021"


def test_a_database_that_does_not_answer_is_left_to_another_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check(monkeypatch, "postgres://postgres@127.0.0.1:1/postgres") == []


def test_sqlite_has_no_pool() -> None:
    vendor: Any = connections["default"].vendor
    if vendor != "sqlite":
        pytest.skip("these tests run on PostgreSQL")
    assert checks.database_keeps_sessions(None) == []

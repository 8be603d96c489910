"""Looks for addresses in whatever shape they may have been left (STANDARDS.md G)."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import psycopg
from psycopg import sql

from tests.e2e.site import Site


def _shapes(text: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the shapes in which a text could stand in a file; those named "any case"
    are in small letters, for data that are."""
    yield "plain, any case", text.lower().encode()
    yield "UTF-16, any case", text.lower().encode("utf-16-le")
    for variant in {text, text.lower(), text.upper()}:
        raw = variant.encode()
        yield "hex, any case", raw.hex().encode()
        for encode in (b64encode, urlsafe_b64encode):
            for part in _alignments(raw, encode):
                yield "base64", part


def _alignments(raw: bytes, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The letters that stand for `raw` in base64, wherever in a text it begins: those that also
    depend on a neighbour are cut off."""
    for before in range(3):
        coded = encode(b"\0" * before + raw).rstrip(b"=")
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        yield coded[first:last]


def traces(data: bytes, texts: Iterable[str]) -> list[str]:
    """In which shape which text stands in the data; [] where it is clean."""
    small = data.lower()
    unquoted = unquote_to_bytes(data).lower()
    found = {
        f"{text}: {name}"
        for text in texts
        for name, shape in _shapes(text)
        if shape in (small if "any case" in name else data)
    }
    found |= {f"{text}: percent" for text in texts if text.lower().encode() in unquoted}
    return sorted(found)


# --- What there is to scan ---------------------------------------------------------------------
def database(site: Site) -> bytes:
    """The database: SQLite's files, or every table of PostgreSQL with its bytes as they are."""
    url = site.environment.get("DATABASE_URL")
    if url is None:
        return b"".join(path.read_bytes() for path in sorted(site.var.glob("*.sqlite3*")))
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        return b"".join(_table(connection, name) for (name,) in rows)


def _table(connection: psycopg.Connection[tuple[str, ...]], name: str) -> bytes:
    statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(name))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(bytes(part) for part in copy)


def logs(site: Site) -> bytes:
    """What every program of the site has said."""
    files = [*sorted((site.var / "log").iterdir()), site.said]
    return b"\n".join(path.read_bytes() for path in files)


class BrokerRecord:
    """All that goes through the broker: the embedded one writes it to its files by itself, of
    another one MONITOR is kept."""

    def __init__(self, environment: Mapping[str, str], var: Path) -> None:
        self._url = environment.get("BROKER_URL")
        self._var = var
        self._heard = bytearray()

    @contextmanager
    def kept(self) -> Iterator[BrokerRecord]:
        if self._url is None:
            yield self
            return
        at = urlsplit(self._url)
        with socket.create_connection((at.hostname or "127.0.0.1", at.port or 6379)) as line:
            line.sendall(b"MONITOR\r\n")
            listener = threading.Thread(target=self._listen, args=(line,), daemon=True)
            listener.start()
            yield self
            line.shutdown(socket.SHUT_RDWR)
            listener.join(5)

    def _listen(self, line: socket.socket) -> None:
        with suppress(OSError):
            while part := line.recv(65_536):
                self._heard += part

    def bytes(self) -> bytes:
        if self._url is not None:
            return bytes(self._heard)
        files = [path for path in (self._var / "valkey").rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in files)

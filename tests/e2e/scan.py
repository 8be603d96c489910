"""What a site leaves behind that may hold no address: database, backup, broker, logs, files, pages
of the desk (G1–G10)."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import psycopg
import pytest
import redis
from psycopg import sql

from newsletter.lib import environment
from tests.e2e.site import Site


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


def backup(site: Site) -> bytes:
    """What operations.md says to keep: of SQLite a copy made by SQLite and its text, of PostgreSQL
    what pg_dump writes, as text and packed."""
    url = site.environment.get("DATABASE_URL")
    if url is None:
        (file,) = site.var.glob("*.sqlite3")
        copy = site.folder / "backup.sqlite3"
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            text = "\n".join(target.iterdump())
        return copy.read_bytes() + text.encode()
    program = shutil.which("pg_dump")
    if program is None:
        pytest.fail("pg_dump is not here (Debian: apt install postgresql-client)")
    dumps = [
        subprocess.run([program, *words, url], capture_output=True, check=True).stdout
        for words in ([], ["--compress=6"])
    ]
    return b"".join(dumps)


def logs(site: Site) -> bytes:
    """What every program of the site has said."""
    files = [*sorted((site.var / "log").iterdir()), site.said]
    return b"\n".join(path.read_bytes() for path in files)


def files(site: Site) -> bytes:
    """Every other file of the site's, but for the keys, which are to be kept elsewhere, and the
    program's own."""
    apart = {"keys", "log", "valkey", "static"}
    return b"\n".join(
        str(path).encode() + b"\n" + path.read_bytes()
        for path in sorted(site.var.rglob("*"))
        if path.is_file() and path.relative_to(site.var).parts[0] not in apart
    )


class TemporaryFiles:
    """Whatever was in the site's folder for temporary files, however short a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, bytes] = {}
        self._ended = threading.Event()

    @contextmanager
    def kept(self) -> Iterator[TemporaryFiles]:
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        yield self
        self._ended.set()
        watcher.join(5)

    def _watch(self) -> None:
        while not self._ended.wait(0.002):
            self._look()

    def _look(self) -> None:
        for path in list(self._folder.rglob("*")):
            with suppress(OSError):  # gone again meanwhile, or a socket
                if path.is_file() and len(data := path.read_bytes()) >= len(
                    self._seen.get(path, b"")
                ):
                    self._seen[path] = data

    def bytes(self) -> bytes:
        """Names and contents. It begins with a line of its own, as there may be none."""
        self._look()
        found = [str(path).encode() + b"\n" + data for path, data in dict(self._seen).items()]
        return b"\n".join([f"{len(found)} temporary files".encode(), *found])


class BrokerRecord:
    """All that goes through the broker: the embedded one writes it to its files by itself, of
    another one MONITOR is kept."""

    def __init__(self, variables: Mapping[str, str], var: Path) -> None:
        self._url = variables.get("BROKER_URL")
        self._cache_url = variables.get("CACHE_URL")
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
            return bytes(self._heard) + b"".join(map(_values, self._urls()))
        folder = self._var / "valkey"
        files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        return b"".join([*files, *map(_values, self._urls())])

    def _urls(self) -> list[str]:
        """Of the broker and of the cache beside it."""
        if self._url is not None:
            return [self._url, self._cache_url or self._url]
        at = environment.default_broker_socket(self._var)
        return [f"unix://{at}?db={number}" for number in (0, 1)]


def _values(url: str) -> bytes:
    """Every key of a database of the broker's, and its value."""
    read = {
        b"string": lambda client, key: [client.get(key)],
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": lambda client, key: client.smembers(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1),
        b"hash": lambda client, key: [
            each for pair in client.hgetall(key).items() for each in pair
        ],
    }
    found: list[bytes] = []
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            found += (
                [key, *(each for each in read[kind](client, key) if each)] if kind in read else []
            )
    return b"\n".join(found)


class Desk:
    """The desk as the one sees it who may see everything."""

    def __init__(self, site: Site) -> None:
        self._url = site.url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        page = self._get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        fields = {
            "username": "editor",
            "password": site.password,
            "next": "/admin/",
            "csrfmiddlewaretoken": token[1],
        }
        with self._opener.open(f"{self._url}/admin/login/", urlencode(fields).encode()) as answer:
            assert urlsplit(answer.geturl()).path == "/admin/"

    def _get(self, path: str) -> str:
        try:
            with self._opener.open(self._url + path, timeout=30) as answer:
                return str(answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            with error:
                pytest.fail(f"{path}: {error.code}")

    def pages(self, search: str) -> dict[str, str]:
        """Every page that links lead to from the first, and each list searched for a word. Filters
        and orders show a part of what their list shows."""
        found: dict[str, str] = {}
        waiting = ["/admin/"]
        while waiting:
            path = waiting.pop()
            if path in found or not _is_to_be_seen(path):
                continue
            found[path] = page = self._get(path)
            for link in re.findall(r'(?:href|src)="([^"#]*)', page):
                at = urlsplit(urljoin(path, unescape(link)))
                if not at.netloc and at.path.startswith("/admin/"):
                    waiting.append(at.path)
            if 'id="changelist-search"' in page:
                found[f"{path}?q="] = self._get(f"{path}?{urlencode({'q': search})}")
        return found


def _is_to_be_seen(path: str) -> bool:
    return "logout" not in path and not path.endswith("/delete/")

"""A database and a broker of a site's own, on the servers that the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

LAST_REDIS_DATABASE = 15


@contextmanager
def database(name: str) -> Iterator[dict[str, str]]:
    """The variables that name an empty database; none, and so SQLite below VAR_DIR, where the
    environment names no PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield {}
        return
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def broker() -> Iterator[dict[str, str]]:
    """The variables that name an empty broker and cache; none, and so the embedded one, where the
    environment names no server."""
    url = os.environ.get("BROKER_URL", "")
    if not url.startswith("redis://"):
        yield {}
        return
    numbers = _take_two(url)
    urls = [urlsplit(url)._replace(path=f"/{number}").geturl() for number in numbers]
    try:
        yield dict(zip(("BROKER_URL", "CACHE_URL"), urls, strict=True))
    finally:
        for mine in urls:
            with redis.Redis.from_url(mine) as client:
                client.flushdb()


def _take_two(url: str) -> list[int]:
    """Two databases of the server that nobody uses; a key of ours says that they are taken."""
    taken: list[int] = []
    for number in range(LAST_REDIS_DATABASE, 0, -1):
        with redis.Redis.from_url(urlsplit(url)._replace(path=f"/{number}").geturl()) as client:
            if client.dbsize() == 0 and client.set("tydzen-e2e", os.getpid(), nx=True):
                taken.append(number)
        if len(taken) == 2:
            return taken
    raise RuntimeError("the Redis server has no two empty databases left")

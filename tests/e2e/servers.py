"""A separate database and broker for a site, on the servers that the environment names."""

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
    """Create a database and yield the variables that name it. Without a PostgreSQL server in the
    environment, yield none, so that the site uses SQLite below VAR_DIR."""
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
    """Yield the variables that name an empty broker and cache. Without a Redis server in the
    environment, yield none, so that the site uses the embedded one."""
    url = os.environ.get("BROKER_URL", "")
    if not url.startswith("redis://"):
        yield {}
        return
    numbers = _claim_two(url)
    urls = [urlsplit(url)._replace(path=f"/{number}").geturl() for number in numbers]
    try:
        yield dict(zip(("BROKER_URL", "CACHE_URL"), urls, strict=True))
    finally:
        for claimed in urls:
            with redis.Redis.from_url(claimed) as client:
                client.flushdb()


def _claim_two(url: str) -> list[int]:
    """Return two unused databases of the server, after marking them as taken with a key."""
    taken: list[int] = []
    for number in range(LAST_REDIS_DATABASE, 0, -1):
        with redis.Redis.from_url(urlsplit(url)._replace(path=f"/{number}").geturl()) as client:
            if client.dbsize() == 0 and client.set("tydzen-e2e", os.getpid(), nx=True):
                taken.append(number)
        if len(taken) == 2:
            return taken
    raise RuntimeError("the Redis server has no two empty databases left")

"""`python -m benchmarks`: compile, create a database, measure, drop the database.

The measurement runs in a child process, so the database is dropped whatever happens to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from newsletter.lib import keys

SERVER = os.environ.get("DATABASE_URL", "postgres://postgres@localhost:5432/postgres")


@contextmanager
def own_database() -> Iterator[str]:
    """Create a database on the server in DATABASE_URL, yield its URL, and drop it."""
    name = f"tydzen_bench_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def environment(database: str, folder: Path) -> dict[str, str]:
    """Return a separate configuration: keys and database, no broker."""
    web, worker = keys.generate_documents()
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "DATABASE_URL": database,
        "VAR_DIR": str(folder / "var"),
        "WEB_KEYS": json.dumps(web),
        "WORKER_KEYS": json.dumps(worker),
        "SITE_URL": "https://news.example.org",
        "DELIVERY_TRANSPORTS": "smtp://127.0.0.1:9?starttls=never",
        "BENCH_FOLDER": str(folder),
    }


def main() -> int:
    if urlsplit(SERVER).scheme not in {"postgres", "postgresql"}:
        print("The benchmark measures on PostgreSQL: set DATABASE_URL.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, own_database() as database:
        child = [sys.executable, "-m", "benchmarks.measure"]
        return subprocess.run(
            child, env=environment(database, Path(folder)), check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())

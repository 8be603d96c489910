"""Servers of the chaos's own around a new newsroom, and Django set up for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.servers import ROOT, Broker, Postgres, Sink

WINDOW = 4


@dataclass
class Arena:
    """`agrees` is what came out: the logs are kept where it is not True."""

    folder: Path
    broker: Broker
    database: Postgres | None
    sink: Sink
    agrees: bool = False


@contextmanager
def arena(database: str, *relay: str, timeout: int = 3, **settings: object) -> Iterator[Arena]:
    """`relay`: options of tests.chaos.sink; `timeout`: seconds that a reply of it may take."""
    folder = Path(tempfile.mkdtemp(prefix="tydzen-chaos-"))
    folder.chmod(0o755)  # the database's user passes through it
    postgres = Postgres(folder) if database == "postgresql" else None
    found = Arena(folder, Broker(folder), postgres, Sink(folder, *relay))
    try:
        if postgres is not None:
            postgres.begin()
        found.broker.begin()
        found.sink.begin()
        _set_up(found, timeout, settings)
        yield found
    finally:
        for server in (found.sink, found.broker, postgres):
            if server is not None:
                server.end()
        if found.agrees:
            shutil.rmtree(folder)
        else:
            print(f"The logs are in {folder}", file=sys.stderr)


def _set_up(found: Arena, timeout: int, settings: dict[str, object]) -> None:
    """The environment holds only what is ours: nothing of the machine's servers."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **keep,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(found.folder / "var"),
        **({"DATABASE_URL": found.database.url} if found.database else {}),
        "BROKER_URL": found.broker.url,
        "CACHE_URL": "locmem://",
        "DELIVERY_TRANSPORTS": f"{found.sink.url}&window={WINDOW}&timeout={timeout}",
        **{name: str(value) for name, value in settings.items()},
    }
    for command in (["keys", "new", "--no-recovery"], ["migrate", "--verbosity=0"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    os.environ.clear()
    os.environ.update(environment)
    import django

    django.setup()

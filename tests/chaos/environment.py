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
class ChaosEnvironment:
    """`agrees` is what came out: the logs are kept where it is not True."""

    folder: Path
    broker: Broker
    database: Postgres | None
    sink: Sink
    passed: bool = False


@contextmanager
def chaos_environment(
    database: str, *relay: str, timeout: int = 3, **settings: object
) -> Iterator[ChaosEnvironment]:
    """`relay`: options of tests.chaos.sink; `timeout`: seconds that a reply of it may take."""
    folder = Path(tempfile.mkdtemp(prefix="tydzen-chaos-"))
    folder.chmod(0o755)  # the database's user passes through it
    postgres = Postgres(folder) if database == "postgresql" else None
    environment = ChaosEnvironment(folder, Broker(folder), postgres, Sink(folder, *relay))
    try:
        if postgres is not None:
            postgres.start_and_wait()
        environment.broker.start_and_wait()
        environment.sink.start_and_wait()
        _set_up(environment, timeout, settings)
        yield environment
    finally:
        for server in (environment.sink, environment.broker, postgres):
            if server is not None:
                server.stop()
        if environment.passed:
            shutil.rmtree(folder)
        else:
            print(f"The logs are in {folder}", file=sys.stderr)


def _set_up(environment: ChaosEnvironment, timeout: int, settings: dict[str, object]) -> None:
    """The environment holds only what is ours: nothing of the machine's servers."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **keep,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(environment.folder / "var"),
        **({"DATABASE_URL": environment.database.url} if environment.database else {}),
        "BROKER_URL": environment.broker.url,
        "CACHE_URL": "locmem://",
        "DELIVERY_TRANSPORTS": f"{environment.sink.url}&window={WINDOW}&timeout={timeout}",
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

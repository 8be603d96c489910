"""Start separate servers for a chaos run, with an empty database, and set up Django for them."""

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

from tests.chaos.servers import ROOT, Broker, Postgres, Provider, Sink

WINDOW = 4
"""How many messages the SMTP transport pipelines per connection."""


@dataclass
class ChaosEnvironment:
    """The servers of one run. Their logs are kept unless `passed` is set to True."""

    folder: Path
    broker: Broker
    database: Postgres | None
    sink: Sink
    passed: bool = False


@contextmanager
def chaos_environment(
    database: str, *relay: str, provider: bool = False, timeout: int = 3, **settings: object
) -> Iterator[ChaosEnvironment]:
    """Start the servers, set up Django, and stop everything at the end.

    `relay` are options of tests.chaos.sink, or of tests.chaos.provider if `provider` is set;
    `timeout` is how many seconds a reply may take.
    """
    folder = Path(tempfile.mkdtemp(prefix="tydzen-chaos-"))
    folder.chmod(0o755)  # the database's user needs to enter it
    postgres = Postgres(folder) if database == "postgresql" else None
    relay_server = (Provider if provider else Sink)(folder, *relay)
    environment = ChaosEnvironment(folder, Broker(folder), postgres, relay_server)
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
    """Set up Django; no setting of the machine's own servers is kept."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    pipelining = "" if isinstance(environment.sink, Provider) else f"&window={WINDOW}"
    variables = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(environment.folder / "var"),
        **({"DATABASE_URL": environment.database.url} if environment.database else {}),
        "BROKER_URL": environment.broker.url,
        "CACHE_URL": "locmem://",
        "WEBHOOK_SECRET_MAILGUN": "a-signing-key-for-chaos",  # a provider is refused without one
        "DELIVERY_TRANSPORTS": f"{environment.sink.url}&timeout={timeout}{pipelining}",
        **{name: str(value) for name, value in settings.items()},
    }
    for command in (["keys", "new", "--no-recovery"], ["migrate", "--verbosity=0"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=variables,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    os.environ.clear()
    os.environ.update(variables)
    import django

    django.setup()

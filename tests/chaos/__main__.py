"""`python -m tests.chaos [--kills 20] [--database sqlite|postgresql] [--seed N]`

Sends an issue by real workers while they, the broker, the database and the relay are killed,
stopped and restarted at random moments; then holds the relay's own record, written to disk before
each of its answers, against the account. Exit status 1 where they do not agree.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.servers import ROOT, Broker, Postgres, Sink

STEP = 20
CONNECTIONS = 2
WINDOW = 8
LEASE = 5


def main() -> int:
    options = _options()
    # Also asked to end, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="tydzen-chaos-"))
    folder.chmod(0o755)  # the database's user passes through it
    database = Postgres(folder) if options.database == "postgresql" else None
    broker = Broker(folder)
    sink = Sink(folder, options.seed, *(["chunking"] if options.chunking else []))
    try:
        if database is not None:
            database.begin()
        broker.begin()
        sink.begin()
        environment = _environment(folder, database, broker, sink)
        for command in (["keys", "new", "--no-recovery"], ["migrate", "--verbosity=0"]):
            subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        os.environ.clear()
        os.environ.update(environment)
        agrees = _unleash(options, folder, database, broker, sink)
    except BaseException:
        print(f"The logs are in {folder}", file=sys.stderr)
        raise
    finally:
        for server in (sink, broker, database):
            if server is not None:
                server.end()
    if agrees:
        shutil.rmtree(folder)
    else:
        print(f"The logs are in {folder}", file=sys.stderr)
    return 0 if agrees else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--kills", type=int, default=20, help="how often a worker is killed")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--chunking", action="store_true", help="the relay offers BDAT")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    return parser.parse_args()


def _environment(
    folder: Path, database: Postgres | None, broker: Broker, sink: Sink
) -> dict[str, str]:
    """Only what is ours: nothing of the machine's servers."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **keep,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(folder / "var"),
        **({"DATABASE_URL": database.url} if database else {}),
        "BROKER_URL": broker.url,
        "CACHE_URL": "locmem://",
        "DELIVERY_TRANSPORTS": f"smtp://127.0.0.1:{sink.port}?timeout=3&connections={CONNECTIONS}&window={WINDOW}",
        "SEND_STEP": str(STEP),
        "SEND_BATCH_SIZE": "100",
        "SEND_LEASE_SECONDS": str(LEASE),
        "SEND_RETRY_SECONDS": "1",
    }


def _unleash(
    options: argparse.Namespace,
    folder: Path,
    database: Postgres | None,
    broker: Broker,
    sink: Sink,
) -> bool:
    import django

    django.setup()
    from tests.chaos import chaos, newsroom, verdict

    letter, issue = newsroom.found()
    newsroom.add_readers(letter, range(200 * options.kills + 400))
    mailing = newsroom.send(issue)
    party = chaos.Chaos(folder, mailing, broker, sink, database, seed=options.seed, lease=LEASE)
    try:
        party.run(options.kills)
    finally:
        party.end()
    title = f"{options.database}, {'BDAT' if options.chunking else 'DATA'}, seed {options.seed}"
    doubt = 2 * STEP + CONNECTIONS
    ahead = WINDOW if options.chunking else 1
    return verdict.judge(mailing, sink.record, party, title=title, doubt=doubt, ahead=ahead)


if __name__ == "__main__":
    sys.exit(main())

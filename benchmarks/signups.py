"""Measure how many sign-ups a second the site takes without workers, and whether it loses any.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/signups.py [--rate 500] [--seconds 30]

Starts a site in a temporary folder, on the database in DATABASE_URL (an empty one; SQLite by
default), with the web processes and threads of gunicorn.conf.py and no workers. Forms arrive at a
steady rate, however long the answers take, each with another address; afterwards the intake is
opened and counted. A second run, with the rate limits on, enters a few addresses again and again.
The client is in C (posts.c; needs gcc) and takes a few percent of a processor.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.processes import cpu_seconds, machine  # noqa: E402 - runs as a file

UNLIMITED = dict.fromkeys(("SIGN_UPS_PER_NETWORK", "SIGN_UPS_PER_DOMAIN", "SIGN_UPS_IN_ALL"), "0")
BOMBED = 20
"""How many addresses the second run enters again and again."""

NEWSLETTER = """
from datetime import time
from newsletter.editorial.models import Newsletter
Newsletter.objects.get_or_create(
    slug="weekly", defaults=dict(languages=["en"], sender_address="a@b.example", time=time(9))
)
"""
DRAIN = """
import json, time
from django.db.models import Count
from subscribers import intake
from subscribers.models import Intake, Subscription, TransactionalEmail
waiting, started = Intake.objects.count(), time.perf_counter()
while intake.drain(1000):
    pass
seconds = time.perf_counter() - started
by_reader = TransactionalEmail.objects.values("subscriber").annotate(n=Count("pk"))
each = by_reader.values_list("n", flat=True)
print(json.dumps(dict(waiting=waiting, seconds=seconds, left=Intake.objects.count(),
    subscriptions=Subscription.objects.count(), emails=sum(each), most=max(each, default=0))))
"""
BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Run:
    """The client's report, the cost in CPU milliseconds a form, and the rows afterwards."""

    forms: int
    client: dict[str, Any]
    web: float
    database: float | None
    drained: dict[str, Any]

    @property
    def lost(self) -> int:
        return int(self.client["statuses"].get("303", 0)) - int(self.drained["waiting"])

    @property
    def errors(self) -> int:
        return self.forms - int(self.client["statuses"].get("303", 0))


class Site:
    """A site in `folder`: its environment, its commands, its web server."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self.folder = port, folder
        self.environment = {
            **os.environ,
            "VAR_DIR": str(folder),
            "PORT": str(port),
            "CACHE_URL": "locmem://",
        }
        self.manage("keys", "new", "--no-recovery")
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--noinput", "-v0")
        self.shell(NEWSLETTER)

    def manage(self, *words: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return done.stdout.strip()

    def shell(self, code: str, **environment: str) -> str:
        output = self.manage("shell", "--no-imports", "-c", code, **environment)
        return output.splitlines()[-1] if output else ""

    @contextmanager
    def web(self, **environment: str) -> Iterator[int]:
        """Run the web server, without the worker's keys; yield its process ID."""
        gunicorn = [sys.executable, "-m", "gunicorn", "newsletter.wsgi"]
        server = subprocess.Popen(
            [*gunicorn, "--bind", f"127.0.0.1:{self.port}", "--log-level", "error"],
            cwd=ROOT,
            env={**self.environment, **environment, "WORKER_KEYS": ""},
        )
        try:
            _wait_until_it_answers(self.port)
            yield server.pid
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_it_answers(port: int) -> None:
    for _try in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web server did not start")


def _with_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def _backends() -> list[int] | None:
    """Return PostgreSQL's processes for this database, or None if they run elsewhere."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        return None
    import psycopg

    with psycopg.connect(url) as connection:
        pids = [pid for (pid,) in connection.execute(BACKENDS).fetchall()]
    return pids if all(Path(f"/proc/{pid}").exists() for pid in pids) else None


def post(site: Site, posts: Path, *, rate: int, forms: int, addresses: int = 0) -> dict[str, Any]:
    command = [str(posts), "-p", str(site.port), "-r", str(rate), "-n", str(forms)]
    if addresses:
        command += ["-u", str(addresses)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer: dict[str, Any] = json.loads(output)
    return answer


def measure(site: Site, posts: Path, *, rate: int, seconds: int) -> Run:
    """Send forms with different addresses, without limits, and open the intake at the end."""
    forms = rate * seconds
    warm_up = 200
    with site.web(**UNLIMITED) as pid:
        post(site, posts, rate=100, forms=warm_up)
        site.shell(DRAIN, **UNLIMITED)
        web, backends = _with_children(pid), _backends()
        before = [sum(map(cpu_seconds, each or [])) for each in (web, backends)]
        client = post(site, posts, rate=rate, forms=forms)
        after = [sum(map(cpu_seconds, each or [])) for each in (web, backends)]
    drained = json.loads(site.shell(DRAIN, **UNLIMITED))
    costs = [1000 * (b - a) / forms for a, b in zip(before, after, strict=True)]
    return Run(forms, client, costs[0], costs[1] if backends else None, drained)


def bomb(site: Site, posts: Path, *, rate: int) -> Run:
    """Enter a few addresses again and again for ten seconds, with the usual limits."""
    forms = rate * 10
    with site.web() as _pid:
        client = post(site, posts, rate=rate, forms=forms, addresses=BOMBED)
    return Run(forms, client, 0, None, json.loads(site.shell(DRAIN)))


def show(rows: dict[str, str]) -> None:
    for name, value in rows.items():
        print(f"{name:<46} {value}")


def rows_of(run: Run, rate: int) -> dict[str, str]:
    client, drained = run.client, run.drained
    accepted = int(client["statuses"].get("303", 0))
    database = "not on this machine" if run.database is None else f"{run.database:.2f} ms"
    within = " ".join(f"{client[f'p{share}']:.0f}" for share in (50, 95, 99, 100))
    opened = drained["waiting"] / drained["seconds"]
    return {
        "forms sent, at a second": f"{run.forms}, {rate}",
        "all answered after": f"{client['seconds']:.1f} s ({run.forms / client['seconds']:.0f}/s)",
        "answers other than 303": f"{run.errors} {client['statuses'] if run.errors else ''}",
        "answered within (50 %, 95 %, 99 %, all)": f"{within} ms",
        "CPU a form: web processes": f"{run.web:.2f} ms",
        "CPU a form: PostgreSQL's backends": database,
        "CPU of the client in all": f"{client['cpu']:.1f} s",
        "intake items / accepted forms": f"{drained['waiting']} / {accepted}",
        "opened and acted on, by one process": f"{drained['seconds']:.1f} s ({opened:.0f}/s)",
        "left in the intake": str(drained["left"]),
        "lost": str(run.lost),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--port", type=int, default=18610)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="tydzen-signups-") as folder:
        posts = Path(folder) / "posts"
        source = str(ROOT / "benchmarks" / "posts.c")
        compiler = os.environ.get("CC", "gcc")
        subprocess.run([compiler, "-O2", source, "-o", str(posts), "-lpthread"], check=True)
        site = Site(Path(folder), options.port)
        bombed = bomb(site, posts, rate=100)
        run = measure(site, posts, rate=options.rate, seconds=options.seconds)
    show(rows_of(run, options.rate))
    emails, most = bombed.drained["emails"], bombed.drained["most"]
    show(
        {
            "list bombing: forms for addresses": f"{bombed.forms} for {BOMBED}, within ten seconds",
            "list bombing: emails, most to one address": f"{emails}, {most}",
        }
    )
    all_there = not (run.errors or run.lost or run.drained["left"])
    if not all_there or most > 1:
        raise SystemExit("a form was lost or not accepted, or an address got a second email")


if __name__ == "__main__":
    main()

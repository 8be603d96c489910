"""Measure how many webhook events a second the site takes and a worker acts on, and if any is lost.

    DATABASE_URL=postgres://… .venv/bin/python benchmarks/webhooks.py [--posts 600] [--bounces 3]

Starts a site in a temporary folder, on the database in DATABASE_URL (an empty one; SQLite by
default), with the web processes and threads of gunicorn.conf.py. SendGrid's signed POSTs, each with
100 events about different readers, are made beforehand and posted as fast as they are answered.
Then one process reads them, and the rows are compared with what was posted.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.processes import cpu_seconds, machine  # noqa: E402 - runs as a file
from benchmarks.signups import Site, _backends, _with_children  # noqa: E402

EVENTS = 100
"""Events in a POST."""
CONNECTIONS = 8

PREPARE = """
import os
from benchmarks import webhook_posts
print(webhook_posts.prepare(int(os.environ["POSTS"]), float(os.environ["BOUNCES"]) / 100,
    os.environ["FOLDER"]))
"""
DRAIN = """
import json, time
from django.db.models import Count
from newsletter.delivery.models import Event, Outcome
from newsletter.delivery.tasks import drain_webhooks
from subscribers.models import Intake, Suppression
waiting, started, cpu = Intake.objects.count(), time.perf_counter(), time.process_time()
while drain_webhooks(1000):
    pass
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps(dict(waiting=waiting, seconds=seconds, cpu=cpu, left=Intake.objects.count(),
    events=Event.objects.count(), unknown=Outcome.objects.filter(result=6).count(),
    suppressed=Suppression.objects.count())))
"""


def send(port: int, posts: list[bytes]) -> tuple[Counter[int], float]:
    """Post them over a few kept connections; return the statuses, and the seconds it took."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = [posts[number::CONNECTIONS] for number in range(CONNECTIONS)]
        statuses = sum(pool.map(lambda part: _send_part(port, part), parts), Counter[int]())
    return statuses, time.perf_counter() - started


def _send_part(port: int, posts: list[bytes]) -> Counter[int]:
    statuses: Counter[int] = Counter()
    connection: socket.socket | None = None
    for post in posts:
        answer = b""
        for _try in range(2):
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), timeout=60)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(post)
            answer = connection.recv(4096)
            if answer:
                break
            connection = None  # the server closed a kept connection before it read this
        statuses[int(answer.split()[1]) if answer else 0] += 1
        if b"connection: close" in answer.lower():
            connection = None
    return statuses


def measure(site: Site, posts: list[bytes], environment: dict[str, str]) -> dict[str, str]:
    with site.web(**environment) as pid:
        web = _with_children(pid)
        before, own = sum(map(cpu_seconds, web)), time.process_time()
        statuses, seconds = send(site.port, posts)
        own = time.process_time() - own
        web_cpu = sum(map(cpu_seconds, web)) - before
        # The web processes have just been started, so everything that these did was for them.
        backends = _backends()
        database_cpu = sum(map(cpu_seconds, backends or []))
    drained: dict[str, Any] = json.loads(site.shell(DRAIN, **environment))
    events = len(posts) * EVENTS
    if statuses[200] != len(posts) or drained["events"] != events or drained["unknown"]:
        raise SystemExit(f"a POST was refused or lost: {dict(statuses)} {drained}")
    database = f"{1000 * database_cpu / len(posts):.2f} ms" if backends else "not on this machine"
    return {
        "POSTs, events": f"{len(posts)}, {events}",
        "answered with 200": str(statuses[200]),
        "accepted events a second": f"{events / seconds:,.0f}",
        "CPU a POST: web processes": f"{1000 * web_cpu / len(posts):.2f} ms",
        "CPU a POST: PostgreSQL's backends": database,
        "CPU a POST: the client": f"{1000 * own / len(posts):.2f} ms",
        "events read a second, by one process": f"{events / drained['seconds']:,.0f}",
        "CPU an event: that process": f"{1e6 * drained['cpu'] / events:.0f} µs",
        "events stored, outcomes unknown": f"{drained['events']}, {drained['unknown']}",
        "readers suppressed": str(drained["suppressed"]),
        "left in the intake": str(drained["left"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--posts", type=int, default=600)
    parser.add_argument("--bounces", type=float, default=3, help="percent of the events")
    parser.add_argument("--port", type=int, default=18611)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="tydzen-webhooks-") as folder:
        site = Site(Path(folder), options.port)
        own = {"POSTS": str(options.posts), "BOUNCES": str(options.bounces), "FOLDER": folder}
        secret = site.shell(PREPARE, **own, PYTHONPATH=str(ROOT))
        made = json.loads((Path(folder) / "posts.json").read_text(encoding="utf-8"))
        posts = [each.encode("latin-1") for each in made]
        rows = measure(site, posts, {"WEBHOOKS": "sendgrid", "WEBHOOK_SECRET_SENDGRID": secret})
    for name, value in rows.items():
        print(f"{name:<46} {value}")


if __name__ == "__main__":
    main()

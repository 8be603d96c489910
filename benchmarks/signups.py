"""How many sign-ups a second the site takes while no worker runs, and whether it loses any.

    .venv/bin/python benchmarks/signups.py [--rate 500] [--seconds 30] [--port 18610]

Starts a site of its own in a temporary folder, on the database that DATABASE_URL names (an empty
one; else SQLite), with two web processes and no limits; sends forms at a steady rate over kept
connections, each with an address of its own; then opens what arrived and counts. The sender runs
on the same machine and takes its share of it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 32
UNLIMITED = {
    "SIGN_UPS_PER_NETWORK": "0",
    "SIGN_UPS_PER_DOMAIN": "0",
    "SIGN_UPS_IN_ALL": "0",
}


class Load:
    """Forms sent at a steady rate; a form that is late is sent as soon as a connection is free."""

    def __init__(self, *, port: int, rate: int, seconds: int) -> None:
        self.port, self.rate, self.total = port, rate, rate * seconds
        self.answers: Counter[str] = Counter()
        self.times: list[float] = []
        self.next = 0

    async def run(self) -> float:
        """Send them all; the seconds it took."""
        begun = time.perf_counter()
        await asyncio.gather(*(self._connection(begun) for _each in range(CONNECTIONS)))
        return time.perf_counter() - begun

    async def _connection(self, begun: float) -> None:
        reader = writer = None
        while self.next < self.total:
            number, self.next = self.next, self.next + 1
            due = begun + number / self.rate
            await asyncio.sleep(max(0, due - time.perf_counter()))
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                status, closes = await self._post(reader, writer, number)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                status, closes = type(error).__name__, True
            self.answers[status] += 1
            # Since it was due: waiting for a free connection counts.
            self.times.append(time.perf_counter() - due)
            if closes:
                if writer is not None:
                    writer.close()
                reader = writer = None

    async def _post(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> tuple[str, bool]:
        body = urlencode({"email": f"reader{number}@site{number % 997}.example", "choices": "en"})
        writer.write(
            f"POST /en/embed/weekly/ HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(
            line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
        )
        await reader.readexactly(int(fields.get("content-length", "0")))
        return head.split()[1], fields.get("connection") == "close"


def manage(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout.strip()


NEWSLETTER = """
from datetime import time
from newsletter.editorial.models import Newsletter
Newsletter.objects.get_or_create(
    slug="weekly", defaults=dict(languages=["en"], sender_address="a@b.example", time=time(9))
)
"""
DRAIN = """
import time
from subscribers import inbox
from subscribers.models import Inbox, Letter, Subscription
begun = time.perf_counter()
waiting = Inbox.objects.count()
while inbox.drain(1000):
    pass
taken = time.perf_counter() - begun
print(waiting, Inbox.objects.count(), Subscription.objects.count(), Letter.objects.count(), taken)
"""


def wait_until_it_answers(port: int) -> None:
    import socket

    for _try in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--port", type=int, default=18610)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tydzen-signups-") as folder:
        environment = {**os.environ, **UNLIMITED, "VAR_DIR": folder, "PORT": str(options.port)}
        environment["CACHE_URL"] = "locmem://"
        manage(environment, "keys", "new", "--no-recovery")
        manage(environment, "migrate", "-v0")
        manage(environment, "collectstatic", "--noinput", "-v0")
        manage(environment, "shell", "--no-imports", "-c", NEWSLETTER)
        measure(environment, Load(port=options.port, rate=options.rate, seconds=options.seconds))


def measure(environment: dict[str, str], load: Load) -> None:
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "newsletter.wsgi", "--workers", "2",
         "--threads", "4", "--bind", f"127.0.0.1:{load.port}", "--log-level", "error"],
        cwd=ROOT, env={**environment, "WORKER_KEYS": ""},
    )  # fmt: skip
    try:
        wait_until_it_answers(load.port)
        seconds = asyncio.run(load.run())
    finally:
        web.terminate()
        web.wait(30)
    times = sorted(load.times)
    accepted = load.answers["303"]
    print(f"{load.total} forms at {load.rate} a second, answered within {seconds:.1f} s")
    print(f"answers: {dict(load.answers)}")
    for share in (0.5, 0.95, 0.99, 1):
        print(f"{share:>5.0%} within {times[int(share * len(times)) - 1] * 1000:.0f} ms")
    drained = manage(environment, "shell", "--no-imports", "-c", DRAIN).splitlines()[-1].split()
    waiting, left, subscriptions, letters = map(int, drained[:4])
    taken = float(drained[4])
    print(f"{waiting} waited; opened in {taken:.1f} s ({waiting / taken:.0f} a second)")
    print(f"{left} left, {subscriptions} subscriptions, {letters} letters")
    lost = accepted - subscriptions
    print("nothing was lost" if not lost and not left else f"LOST: {lost}, left: {left}")
    if lost or left or set(load.answers) != {"303"}:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""A site whose parts a test starts and stops one by one: SQLite, own broker, workers, relay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.servers import ROOT, Broker, Sink, Worker

STEP = 5


class Site:
    """Once it is prepared, nothing runs but the broker. `relay`: options of tests.chaos.sink."""

    def __init__(self, folder: Path, *relay: str) -> None:
        self.folder = folder
        self.broker, self.sink = Broker(folder), Sink(folder, *relay)
        self.workers: list[Worker] = []
        self._other_relays: list[Sink] = []
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "newsletter.settings",
            "VAR_DIR": str(folder / "var"),
            "BROKER_URL": self.broker.url,
            "CACHE_URL": "locmem://",
            "DELIVERY_TRANSPORTS": self.sink.url,
            "SEND_STEP": str(STEP),
            "SEND_BATCH_SIZE": "50",
            "SEND_LEASE_SECONDS": "60",
            "SEND_RETRY_SECONDS": "1",
        }

    def set_up(self) -> None:
        self.broker.start_and_wait()
        self.run("manage.py", "keys", "new", "--no-recovery")
        self.run("manage.py", "migrate", "--verbosity=0")

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *command],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def script(self, code: str) -> str:
        """Run a few lines with Django set up and `mailing` at hand; what they printed."""
        start_and_wait = "import django; django.setup()\n"
        start_and_wait += (
            "from newsletter.delivery.models import *\nmailing = Mailing.objects.get()\n"
        )
        return self.run("-c", start_and_wait + code)

    def prepare_mailing(self, readers: int) -> None:
        self.run("-m", "tests.chaos.newsroom", str(readers))

    def start_worker(self) -> Worker:
        """One more worker."""
        worker = Worker(f"worker{len(self.workers)}", self.folder, self.environment)
        worker.start()
        self.workers.append(worker)
        return worker

    def switch_relay(self, *options: str) -> Sink:
        """Runs, and is the one that workers started from now on use."""
        folder = self.folder / f"relay{len(self._other_relays)}"
        folder.mkdir()
        other = Sink(folder, *options)
        self._other_relays.append(other)
        other.start_and_wait()
        self.environment["DELIVERY_TRANSPORTS"] = other.url
        return other

    def run_control(self, asked: str) -> tuple[list[str], int]:
        """Have something done by newsletter.delivery.oversight.control: its answers, and how many mails the
        relay had taken by then."""
        told = self.script(
            f"from newsletter.delivery import control\nprint({asked})\n"
            f"print(open({str(self.sink.record)!r}).read().count('A '))"
        ).split()
        return told[:-1], int(told[-1])

    def report(self) -> dict[str, Any]:
        """The audit of the only mailing, with how many batches are in somebody's hands."""
        audited = self.script(
            "from newsletter.delivery.oversight.audit import audit; import json\n"
            "claimed = Batch.objects.filter(state='claimed').count()\n"
            "print(json.dumps({**audit()[0].as_dict(), 'claimed': claimed}))"
        )
        environment: dict[str, Any] = json.loads(audited.splitlines()[-1])
        assert environment["faults"] == []
        return environment

    def wait(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        """Until it holds; ticks meanwhile, as beat does."""
        code = "from newsletter.lib.queue import hint; hint('delivery.tick', expires=5)"
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.report()
            self.script(code)
            time.sleep(0.5)

    def stop(self) -> None:
        for server in (*self.workers, self.sink, *self._other_relays, self.broker):
            server.stop()

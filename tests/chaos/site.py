"""A site whose parts a test starts and stops one by one: SQLite, broker, workers, relay."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.servers import ROOT, Broker, Sink, Worker

STEP = 5


class Site:
    """After `set_up` only the broker runs. `relay` are options of tests.chaos.sink."""

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
        """Start the broker, and create the keys and the database."""
        self.broker.start_and_wait()
        self.run("manage.py", "keys", "new", "--no-recovery")
        self.run("manage.py", "migrate", "--verbosity=0")

    def run(self, *command: str) -> str:
        """Run Python with these arguments in the site's environment; return what it printed."""
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
        """Run Python code with Django set up and `mailing` defined; return what it printed."""
        prelude = "import django; django.setup()\n"
        prelude += "from newsletter.delivery.models import *\nmailing = Mailing.objects.get()\n"
        return self.run("-c", prelude + code)

    def prepare_mailing(self, readers: int) -> None:
        """Prepare a mailing for `readers` readers; the workers send it."""
        self.run("-m", "tests.chaos.newsroom", str(readers))

    def start_worker(self) -> Worker:
        """Start another worker."""
        worker = Worker(f"worker{len(self.workers)}", self.folder, self.environment)
        worker.start()
        self.workers.append(worker)
        return worker

    def switch_relay(self, *options: str) -> Sink:
        """Start a new relay; workers started from now on use it."""
        folder = self.folder / f"relay{len(self._other_relays)}"
        folder.mkdir()
        relay = Sink(folder, *options)
        self._other_relays.append(relay)
        relay.start_and_wait()
        self.environment["DELIVERY_TRANSPORTS"] = relay.url
        return relay

    def move_to_an_empty_machine(self, backup: Path) -> None:
        """Keep only the keys, and restore the backup of the database."""
        var = self.folder / "var"
        for path in var.iterdir():
            if path.name != "keys":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        backup.rename(var / "tydzen.sqlite3")

    def run_control(self, expression: str) -> tuple[list[str], int]:
        """Evaluate calls of `control`, the module of newsletter.delivery.oversight.

        Returns their results as strings, and how many messages the relay had accepted by then.
        """
        printed = self.script(
            f"from newsletter.delivery.oversight import control\nprint({expression})\n"
            f"print(open({str(self.sink.record)!r}).read().count('A '))"
        ).split()
        return printed[:-1], int(printed[-1])

    def report(self) -> dict[str, Any]:
        """Return the audit of the only mailing, and how many batches are claimed."""
        audited = self.script(
            "from newsletter.delivery.oversight.audit import audit; import json\n"
            "claimed = Batch.objects.filter(state='claimed').count()\n"
            "print(json.dumps({**audit()[0].as_dict(), 'claimed': claimed}))"
        )
        report: dict[str, Any] = json.loads(audited.splitlines()[-1])
        assert report["faults"] == []
        return report

    def wait_until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        """Wait until the condition holds, sending ticks as beat does."""
        code = "from newsletter.lib.queue import wake; wake('delivery.tick')"
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.report()
            self.script(code)
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop everything that was started."""
        for server in (*self.workers, self.sink, *self._other_relays, self.broker):
            server.stop()

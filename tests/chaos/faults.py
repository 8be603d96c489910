"""Two workers, and the faults that happen while they send. Needs django.setup()."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from newsletter.delivery.models import Batch, Mailing
from newsletter.lib.queue import wake
from tests.chaos.environment import ChaosEnvironment
from tests.chaos.servers import Worker, wait_until

T = TypeVar("T")
BATCHES_HIT = {
    "kill -9 of a child": 1,
    "kill -9 of a worker": 2,
    "SIGSTOP past the lease": 1,
    "PostgreSQL restarted": 4,
    "relay silent": 4,
}
"""How many batches a fault can interrupt at most: one for each child that it hits."""
KILLS = ("kill -9 of a child", "kill -9 of a worker")
FINAL_STATES = (Mailing.State.FINISHED, Mailing.State.CANCELLED)


class ChaosRun:
    """`fault_counts` counts the faults by name; `batches_hit`, the batches they interrupted."""

    def __init__(
        self, environment: ChaosEnvironment, mailing: Mailing, *, seed: int, lease: int
    ) -> None:
        self.mailing, self.broker, self.sink = mailing, environment.broker, environment.sink
        self.database = environment.database
        self.workers = [
            Worker(name, environment.folder, dict(os.environ)) for name in ("first", "second")
        ]
        self.fault_counts: Counter[str] = Counter()
        self.batches_hit = 0
        self.seconds = 0.0
        self._random = random.Random(seed)  # noqa: S311
        self._lease = lease
        self._suspended: list[tuple[float, int]] = []
        self._last_tick = 0.0

    def run(self, kills: int) -> None:
        """Run until `kills` kills and every other fault have happened, then finish the mailing."""
        began = time.monotonic()
        for worker in self.workers:
            worker.start()
        actions: dict[str, Callable[[], None]] = {
            "kill -9 of a child": self._kill_child,
            "kill -9 of a worker": self._kill_worker,
            "SIGSTOP past the lease": self._suspend_child,
            "broker killed, its data deleted": self.broker.lose_everything,
            "relay silent": lambda: self.sink.send_signal(signal.SIGUSR1),
        }
        weights = [4, 3, 2, 1, 1]
        if self.database is not None:
            actions["PostgreSQL restarted"] = self.database.crash
            weights.append(1)
        wait_until("a worker to start sending", self._has_started_sending, 120)
        pending = dict.fromkeys(actions)  # each fault happens at least once
        while sum(self.fault_counts[name] for name in KILLS) < kills or pending:
            if not self._is_unfinished():
                raise RuntimeError("the mailing finished before all faults had happened")
            self._wait(self._random.uniform(1.0, 4.0))
            enough = sum(self.fault_counts[name] for name in KILLS) >= kills
            name = (
                next(iter(pending)) if enough else self._random.choices(list(actions), weights)[0]
            )
            self.batches_hit += min(self._claimed_batches(), BATCHES_HIT.get(name, 0))
            actions[name]()
            self.fault_counts[name] += 1
            pending.pop(name, None)
        self.sink.send_signal(signal.SIGUSR2)
        end = time.monotonic() + 180
        while self._is_unfinished():
            self._wait(0.5)
            if time.monotonic() > end:
                raise TimeoutError("the mailing doesn't finish")
        self.seconds = time.monotonic() - began

    def stop(self) -> None:
        """Resume suspended children, and stop the workers."""
        for _, pid in self._suspended:
            _signal(pid, signal.SIGCONT)
        for worker in self.workers:
            worker.stop()

    def table(self) -> list[tuple[str, object]]:
        """Return what happened, as rows for the report."""
        return [
            ("kills", sum(self.fault_counts[name] for name in KILLS)),
            *((f"  {name}", number) for name, number in sorted(self.fault_counts.items())),
            ("seconds", round(self.seconds)),
        ]

    # --- Faults -------------------------------------------------------------------------------
    def _kill_child(self) -> None:
        _signal(self._random_child(), signal.SIGKILL)

    def _kill_worker(self) -> None:
        """Kill a parent and its parts; the pools' processes go on until they notice."""
        worker = self._random.choice(self.workers)
        for pid in [worker.pid, *worker.parts()]:
            _signal(pid, signal.SIGKILL)

    def _suspend_child(self) -> None:
        pid = self._random_child()
        _signal(pid, signal.SIGSTOP)
        self._suspended.append((time.monotonic() + self._lease + 3, pid))

    def _random_child(self) -> int:
        def running() -> list[int]:
            return [pid for worker in self.workers for pid in worker.children()]

        while not running():
            self._wait(0.5)
        return self._random.choice(running())

    # --- Between faults ------------------------------------------------------------------------
    def _wait(self, seconds: float) -> None:
        """Wait, ticking every second; restart dead workers and resume suspended children."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            if now - self._last_tick > 1:
                self._last_tick = now
                wake("delivery.tick")
            for worker in self.workers:
                if not worker.running():
                    worker.start()
            for when, pid in [sleeper for sleeper in self._suspended if sleeper[0] <= now]:
                self._suspended.remove((when, pid))
                _signal(pid, signal.SIGCONT)
            time.sleep(0.1)

    def _has_started_sending(self) -> bool:
        self._wait(0.5)
        return self._claimed_batches() > 0

    def _claimed_batches(self) -> int:
        """Return how many claimed batches have a permission."""
        return self._query(
            lambda: Batch.objects.filter(
                mailing=self.mailing, state=Batch.State.CLAIMED, intent__gt=0
            ).count()
        )

    def _is_unfinished(self) -> bool:
        return self._query(
            lambda: not Mailing.objects.filter(pk=self.mailing.pk, state__in=FINAL_STATES).exists()
        )

    def _query(self, query: Callable[[], T]) -> T:
        """Run the query, again if the database has just been restarted."""
        for _ in range(20):
            try:
                return query()
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(0.5)
        return query()


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)

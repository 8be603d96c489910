"""Two workers, and what happens to them. Needs django.setup()."""

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
"""How many batches an event may tear out of a worker's hands: one for each child it strikes."""
KILLS = ("kill -9 of a child", "kill -9 of a worker")
FINAL_STATES = (Mailing.State.FINISHED, Mailing.State.CANCELLED)


class ChaosRun:
    """`happened` counts the events by name; `open_batches` those that they struck."""

    def __init__(
        self, environment: ChaosEnvironment, mailing: Mailing, *, seed: int, lease: int
    ) -> None:
        self.mailing, self.broker, self.sink = mailing, environment.broker, environment.sink
        self.database = environment.database
        self.workers = [
            Worker(name, environment.folder, dict(os.environ)) for name in ("first", "second")
        ]
        self.events: Counter[str] = Counter()
        self.batches_hit = 0
        self.seconds = 0.0
        self._random = random.Random(seed)  # noqa: S311
        self._lease = lease
        self._suspended: list[tuple[float, int]] = []
        self._last_tick = 0.0

    def run(self, kills: int) -> None:
        """Until so many kills have happened, then on to the end of the send-out."""
        began = time.monotonic()
        for worker in self.workers:
            worker.start()
        events: dict[str, Callable[[], None]] = {
            "kill -9 of a child": self._kill_child,
            "kill -9 of a worker": self._kill_worker,
            "SIGSTOP past the lease": self._stop_child,
            "broker killed, its data deleted": self.broker.lose_everything,
            "relay silent": lambda: self.sink.send_signal(signal.SIGUSR1),
        }
        weights = [4, 3, 2, 1, 1]
        if self.database is not None:
            events["PostgreSQL restarted"] = self.database.crash
            weights.append(1)
        wait_until("a worker that sends", self._sending, 120)
        pending = dict.fromkeys(events)  # each happens at least once
        while sum(self.events[name] for name in KILLS) < kills or pending:
            if not self._is_unfinished():
                raise RuntimeError("the send-out was over before the chaos")
            self._wait(self._random.uniform(1.0, 4.0))
            late = sum(self.events[name] for name in KILLS) >= kills
            name = next(iter(pending)) if late else self._random.choices(list(events), weights)[0]
            self.batches_hit += min(self._claimed_batches(), BATCHES_HIT.get(name, 0))
            events[name]()
            self.events[name] += 1
            pending.pop(name, None)
        self.sink.send_signal(signal.SIGUSR2)
        end = time.monotonic() + 180
        while self._is_unfinished():
            self._wait(0.5)
            if time.monotonic() > end:
                raise TimeoutError("the send-out does not come to an end")
        self.seconds = time.monotonic() - began

    def stop(self) -> None:
        for _, pid in self._suspended:
            _signal(pid, signal.SIGCONT)
        for worker in self.workers:
            worker.stop()

    def table(self) -> list[tuple[str, object]]:
        """What happened, as rows."""
        return [
            ("kills", sum(self.events[name] for name in KILLS)),
            *((f"  {name}", number) for name, number in sorted(self.events.items())),
            ("seconds", round(self.seconds)),
        ]

    # --- Events -------------------------------------------------------------------------------
    def _kill_child(self) -> None:
        _signal(self._child(), signal.SIGKILL)

    def _kill_worker(self) -> None:
        """Its children are left behind, and work on until they notice."""
        worker = self._random.choice(self.workers)
        worker.send_signal(signal.SIGKILL)

    def _stop_child(self) -> None:
        pid = self._child()
        _signal(pid, signal.SIGSTOP)
        self._suspended.append((time.monotonic() + self._lease + 3, pid))

    def _child(self) -> int:
        def running() -> list[int]:
            return [pid for worker in self.workers for pid in worker.children()]

        while not running():
            self._wait(0.5)
        return self._random.choice(running())

    # --- Meanwhile ----------------------------------------------------------------------------
    def _wait(self, seconds: float) -> None:
        """Ticks each second, as beat does each minute; restarts and wakes who has to be."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            if now - self._last_tick > 1:
                self._last_tick = now
                wake("delivery.tick", expires=5)
            for worker in self.workers:
                if not worker.running():
                    worker.start()
            for when, pid in [sleeper for sleeper in self._suspended if sleeper[0] <= now]:
                self._suspended.remove((when, pid))
                _signal(pid, signal.SIGCONT)
            time.sleep(0.1)

    def _sending(self) -> bool:
        self._wait(0.5)
        return self._claimed_batches() > 0

    def _claimed_batches(self) -> int:
        """Batches in a worker's hands."""
        return self._query(
            lambda: Batch.objects.filter(
                mailing=self.mailing, state=Batch.State.CLAIMED, intent__gt=0
            ).count()
        )

    def _is_unfinished(self) -> bool:
        return self._query(
            lambda: not Mailing.objects.filter(pk=self.mailing.pk, state__in=FINAL_STATES).exists()
        )

    def _query(self, question: Callable[[], T]) -> T:
        """The database may just have been restarted."""
        for _ in range(20):
            try:
                return question()
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(0.5)
        return question()


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)

"""Look every ten seconds for what a lost worker, a lost broker or a missing beat has left behind.

A worker runs this in a separate process, which needs neither beat nor the queues: it starts with
the worker, ends the leases of processes on this host that are gone, rescues their batches, and
wakes workers for whatever is due. If no tick or drain has come for a while, it queues one.
"""

from __future__ import annotations

import logging
import signal
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db import connections
from django.db.models.functions import Now

from newsletter.delivery.models import WorkerRecord
from newsletter.delivery.oversight import restore_guard, task_runs
from newsletter.delivery.sending import rescue, wake_ups
from newsletter.delivery.transactional import outbox
from newsletter.lib import processes, queue
from newsletter.lib.run_all import run_all

log = logging.getLogger(__name__)
ROUND_SECONDS = 10.0
TICK_OVERDUE_SECONDS = 90
DRAIN_OVERDUE_SECONDS = 15
FEW_WAITING = 5
"""If more tasks than this are waiting, one more tick or drain would change nothing."""
KEEP_RECORDS = timedelta(days=1)


def run(worker_id: uuid.UUID) -> int:
    """Recover until SIGTERM; return the exit status."""
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    while not stopped:
        _try_recovering(worker_id)
        deadline = time.monotonic() + ROUND_SECONDS
        while not stopped and time.monotonic() < deadline:
            time.sleep(0.2)
    return 0


def _try_recovering(worker_id: uuid.UUID) -> None:
    try:
        recover(worker_id)
    except Exception:
        # The next round tries again. An outage is logged once, by newsletter.lib.outages.
        log.exception("recovery-failed")
    finally:
        connections.close_all()


def recover(worker_id: uuid.UUID) -> dict[str, int]:
    """Do one round; return counts. The order matters: after a restored backup, nothing may be sent
    before the open mailings are paused, and this worker's record vouches for the database."""
    steps: list[tuple[str, Callable[[], int]]] = [
        ("ended", rescue.end_lost_leases),
        ("rescued", rescue.rescue_batches),
        ("transactional", outbox.rescue),
        ("finished", rescue.finish_mailings),
        ("woken", wake_ups.wake_due),
        ("queued", queue_overdue_tasks),
    ]
    restored = restore_guard.watch()
    record_sign_of_life(worker_id)
    return {"restored": restored, **run_all(steps)}


def record_sign_of_life(worker_id: uuid.UUID) -> None:
    """Record that this worker is alive; delete the records of workers that are long gone."""
    WorkerRecord.objects.update_or_create(
        pk=worker_id,
        defaults={"alive_at": Now()},
        create_defaults={"host": processes.host_id(), "started_at": Now(), "alive_at": Now()},
    )
    WorkerRecord.objects.filter(alive_at__lt=Now() - KEEP_RECORDS).delete()


def queue_overdue_tasks() -> int:
    """Queue a tick and a drain if beat hasn't for a while; return how many were queued."""
    overdue = [
        task
        for task, name, seconds in (
            ("delivery.tick", task_runs.TICK, TICK_OVERDUE_SECONDS),
            ("delivery.drain", task_runs.DRAIN, DRAIN_OVERDUE_SECONDS),
        )
        if task_runs.is_overdue(name, seconds=seconds)
    ]
    if not overdue:
        return 0
    waiting = queue.waiting(queue.CONTROL)
    if waiting is None or waiting > FEW_WAITING:
        return 0
    return sum(queue.wake(task) for task in overdue)

"""Wakes the workers.

A task on a queue only says that something may be due; the database knows what is. If a wake-up is
lost, or the broker is down, work is only delayed until the next tick. A wake-up carries no time and
never expires, so no two clocks have to agree (E8).

There are two queues, each with separate processes: nothing on CONTROL ever waits for a mailing.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from celery.utils.dispatch import Signal
from kombu.exceptions import ChannelError, OperationalError

from newsletter.lib import outages

CONTROL = "control"
"""Ticks, the intake, single emails, snapshots."""
BULK = "bulk"
"""Batches of mailings."""
TASK_QUEUES = {"delivery.send": BULK}
"""The queues of tasks; that of all other tasks is CONTROL."""
worker_starting = Signal(name="worker_starting")
"""Sent by `manage.py worker` before it starts its Celery workers. A receiver that raises SystemExit
stops it."""


def wake(task: str, *ids: int) -> bool:
    """Queue the task named `task` with IDs; return False if the broker cannot be reached."""
    try:
        current_app.send_task(task, args=ids, queue=TASK_QUEUES.get(task, CONTROL), retry=False)
    except (OperationalError, OSError) as error:
        outages.monitor.report_failure("broker", type(error).__name__)
        return False
    return True


def waiting(queue: str) -> int | None:
    """Return how many tasks are waiting on the queue; None if the broker cannot be reached."""
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:
        return 0  # a queue without messages doesn't exist
    except (OperationalError, OSError) as error:
        outages.monitor.report_failure("broker", type(error).__name__)
        return None

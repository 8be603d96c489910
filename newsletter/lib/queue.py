"""Wakes the workers.

A task on the queue only says that something may be due; the database knows what is. If a wake-up is
lost, or the broker is down, work is only delayed until the next tick.
"""

from __future__ import annotations

from celery import current_app
from kombu.exceptions import OperationalError

from newsletter.lib import outages


def wake(task: str, *ids: int, expires: int = 300) -> bool:
    """Queue the task named `task` with IDs; return False if the broker cannot be reached.

    A wake-up is dropped after `expires` seconds, since the next tick sends another.
    """
    try:
        current_app.send_task(task, args=ids, expires=expires, retry=False)
    except (OperationalError, OSError) as error:
        outages.monitor.report_failure("broker", type(error).__name__)
        return False
    return True

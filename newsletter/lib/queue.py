"""Hints to the workers.

A queue message only says that something may be due; the database holds what is. So a hint that
is lost costs time, until the next tick, and nothing else, and a broker that is down stops
nobody's work.
"""

from __future__ import annotations

from celery import current_app
from kombu.exceptions import OperationalError

from newsletter.lib import outages


def wake(task: str, *ids: int, expires: int = 300) -> bool:
    """Queue the task named `task` with ids; False where the broker could not be reached.

    `expires` in seconds: an old hint is dropped, as the next tick hints again.
    """
    try:
        current_app.send_task(task, args=ids, expires=expires, retry=False)
    except (OperationalError, OSError) as error:
        outages.monitor.report_failure("broker", type(error).__name__)
        return False
    return True

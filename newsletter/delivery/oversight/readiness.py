"""Whether everything that a mailing needs is there, for an outside monitor (E9).

It names no address, host or URL. All ages are by the database's clock.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection

from newsletter.delivery.models import TaskRun, WorkerRecord
from newsletter.delivery.oversight import task_runs
from newsletter.delivery.sending import protocol
from newsletter.lib import outages
from subscribers.crypto import key_check

Check = dict[str, Any]
TICK_SECONDS = 180
WORKER_SECONDS = 60
MIN_FREE_MB = 200


def check() -> dict[str, Check]:
    """Return each check's result: `ok`, and the numbers that it rests on."""
    checks: dict[str, Callable[[], Check]] = {
        "database": _database,
        "broker": _broker,
        "tick": _tick,
        "worker": _worker,
        "disk": _disk,
        "keys": _keys,
    }
    return {name: _try(run) for name, run in checks.items()}


def _try(run: Callable[[], Check]) -> Check:
    try:
        return run()
    except DatabaseError as error:
        if service := outages.failed_service(error):
            outages.monitor.report_failure(service, type(error).__name__)
        return {"ok": False}


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _broker() -> Check:
    try:
        with current_app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=5)
    except Exception as error:  # noqa: BLE001 - each kind of broker has its own errors
        outages.monitor.report_failure("broker", type(error).__name__)
        return {"ok": False}
    return {"ok": True}


def _tick() -> Check:
    run = TaskRun.objects.filter(pk=task_runs.TICK).first()
    if run is None:
        return {"ok": False, "seconds": None}
    seconds = _age(run.started_at)
    return {
        "ok": seconds <= TICK_SECONDS and not run.failing,
        "seconds": seconds,
        "failing": run.failing,
    }


def _worker() -> Check:
    """A Celery worker that was started by hand leaves no record, but its ticks and drains do."""
    signs = [*WorkerRecord.objects.values_list("alive_at", flat=True)]
    signs += TaskRun.objects.filter(pk=task_runs.DRAIN).values_list("started_at", flat=True)
    ages = [_age(sign) for sign in signs]
    seconds = min(ages, default=None)
    return {"ok": seconds is not None and seconds <= WORKER_SECONDS, "seconds": seconds}


def _disk() -> Check:
    folders = (settings.VAR_DIR, settings.MEDIA_ROOT)
    free = [shutil.disk_usage(folder).free // 2**20 for folder in folders if folder.exists()]
    return {"ok": min(free, default=0) >= MIN_FREE_MB, "free_mb": min(free, default=0)}


def _keys() -> Check:
    """Compare the keys with the database, without storing anything."""
    web, worker = settings.WEB_KEYS.fresh(), settings.WORKER_KEYS and settings.WORKER_KEYS.fresh()
    faults = key_check.mismatches(web, worker, key_check.stored_marks())
    return {"ok": not faults and not settings.KEYS_ARE_TEMPORARY}


def _age(moment: datetime) -> int:
    return max(0, round((protocol.database_now() - moment).total_seconds()))

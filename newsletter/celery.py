"""The Celery application and the whole beat schedule.

Beat only ticks; the database decides what is due (E1).
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import django
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready
from kombu import Exchange, Queue

from newsletter.lib.queue import BULK, CONTROL, TASK_QUEUES, worker_starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
# Celery would run all of Django's checks silently, and keep the desk's pages in memory for it
# (8 MB). We run our own checks below.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
app = Celery("tydzen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["newsletter.delivery", "subscribers"])
# A worker without -Q serves both queues.
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in (CONTROL, BULK)]
app.conf.task_default_queue = CONTROL
app.conf.task_routes = {task: {"queue": queue} for task, queue in TASK_QUEUES.items()}
# Nothing expires: that would compare beat's clock with a worker's (E8). Ticks that pile up while no
# worker runs are cheap, because a tick that follows another at once does nothing.
app.conf.beat_schedule = {
    "tick": {"task": "delivery.tick", "schedule": 60.0},
    "drain": {"task": "delivery.drain", "schedule": 5.0},
}


@setup_logging.connect
def _configure_logging(**kwargs: Any) -> None:
    """Log as the rest does. Celery leaves logging alone if this signal has a receiver."""
    from django.conf import settings
    from django.utils.log import configure_logging

    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


@worker_ready.connect
def _ignore_celery_5_warning(**kwargs: Any) -> None:
    """Silence a six-line warning that Celery repeats whenever it loses its broker.

    It warns that tasks keep running in the meantime, which is what we want: the database decides
    what they may do. Celery enables its own warnings while it starts, so this has to come later.
    """
    warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 we introduced an optional")


@worker_starting.connect
@worker_init.connect
def check_before_start(**kwargs: Any) -> None:
    """Refuse to start without keys, or with keys that don't belong to the database.

    Before anything is sent, also look whether the database was restored from a backup (E10).
    """
    django.setup()
    from django.db import connections

    from newsletter.checks import require_configuration
    from newsletter.delivery.oversight import restore_guard

    require_configuration()
    restore_guard.watch()
    # The pool's processes are forked from this one and must not share its connection.
    connections.close_all()

"""The Celery application and the whole beat schedule.

Beat only ticks: what is due, the database decides (E1).
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import django
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
# Celery runs all of Django's checks in a worker, tells nobody, and holds the desk's pages for it
# ever after (8 MB); ours are below.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
app = Celery("tydzen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["newsletter.delivery", "subscribers"])
app.conf.beat_schedule = {
    "tick": {"task": "delivery.tick", "schedule": 60.0, "options": {"expires": 55}},
    "drain": {"task": "delivery.drain", "schedule": 5.0, "options": {"expires": 5}},
}


@setup_logging.connect
def _log_as_everything_does(**kwargs: Any) -> None:
    """Celery sets up nothing of its own if this signal has a receiver."""
    from django.conf import settings
    from django.utils.log import configure_logging

    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


@worker_ready.connect
def _say_nothing_of_celery_5(**kwargs: Any) -> None:
    """Celery warns about a setting, in six lines, each time that the connection is lost, and turns
    its own warnings on while it starts. A task goes on while the broker is away, as it should:
    what it may do, the database decides."""
    warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 we introduced an optional")


@worker_init.connect
def _insist_on_configuration(**kwargs: Any) -> None:
    """A worker without keys would lose what it opens."""
    django.setup()
    from django.db import connections

    from newsletter.checks import require_configuration

    require_configuration()
    # The pool's processes are forked from this one, and may not share its connection.
    connections.close_all()

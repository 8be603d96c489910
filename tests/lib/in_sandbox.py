"""Top-level functions to run in the sandbox process (tests/lib/test_sandbox.py)."""

from __future__ import annotations

import os
import signal
import sys
import time

from django.apps import apps
from django.conf import settings


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def nap() -> int:
    """Return the process's ID after so long that calls at the same time meet."""
    time.sleep(0.2)
    return os.getpid()


def sleep_long() -> None:
    time.sleep(60)


def what_is_here() -> tuple[int, bool, bool, dict[str, str]]:
    """Return how many applications there are, whether there are models and worker keys, and the
    variables of the worker's keys.
    """
    return (
        len(list(apps.get_app_configs())),
        "subscribers.models" in sys.modules,
        settings.WORKER_KEYS is not None,
        {name: text for name, text in os.environ.items() if name.startswith("WORKER_KEYS")},
    )

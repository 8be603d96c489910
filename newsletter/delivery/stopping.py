"""Whether this worker was asked to stop.

Celery's prefork children have SIGTERM reset to its default when they start, and a warm shutdown
reaches only the parent (E7). So the child sets a handler of its own, and the parent sets a flag
in memory that both share; the sender reads the two at each step.
"""

from __future__ import annotations

import signal
from multiprocessing import Value
from types import FrameType
from typing import Any

from celery.signals import worker_process_init, worker_shutting_down

_parent_stops = Value("b", 0, lock=False)
_asked = False


def asked() -> bool:
    """True once SIGTERM reached this process or its parent began to shut down."""
    return _asked or bool(_parent_stops.value)


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    global _asked
    _asked = True


@worker_process_init.connect
def _watch_child(**_: Any) -> None:
    signal.signal(signal.SIGTERM, _on_sigterm)


@worker_shutting_down.connect
def _tell_children(**_: Any) -> None:
    _parent_stops.value = 1

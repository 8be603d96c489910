"""Whether this worker was asked to stop.

A warm shutdown reaches only the parent (E7), which sets a flag in memory that its children share;
SIGTERM to the process group reaches the children too, and would end them in mid-send. So a child
has a handler of its own while a task runs: set at each task, as the pool (billiard) takes SIGTERM
back right after `worker_process_init`. Between tasks the pool's own handler ends the child.
"""

from __future__ import annotations

import signal
from multiprocessing import Value
from types import FrameType
from typing import Any

from celery.signals import task_postrun, task_prerun, worker_process_init, worker_shutting_down

_parent_stops = Value("b", 0, lock=False)
_asked = False
_is_child = False
_of_the_pool: Any = signal.SIG_DFL


def requested() -> bool:
    """True once SIGTERM reached this process or its parent began to shut down."""
    return _asked or bool(_parent_stops.value)


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    global _asked
    _asked = True


@worker_process_init.connect
def _know_child(**_: Any) -> None:
    global _is_child
    _is_child = True


@task_prerun.connect
def _watch(**_: Any) -> None:
    global _asked, _of_the_pool
    if _is_child:
        _asked = False  # what came before ended another task
        _of_the_pool = signal.signal(signal.SIGTERM, _on_sigterm)


@task_postrun.connect
def _leave(**_: Any) -> None:
    if _is_child:
        signal.signal(signal.SIGTERM, _of_the_pool)


@worker_shutting_down.connect
def _tell_children(**_: Any) -> None:
    _parent_stops.value = 1

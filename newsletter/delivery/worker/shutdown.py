"""Tell a running task whether its worker was asked to stop (E7).

A warm shutdown reaches only the parent, which sets a flag in memory that it shares with its
children. SIGTERM to the process group also reaches the children, and would end them in the middle
of a hand-over. So a child installs its own handler while a task runs. It does so for each task,
because the pool (billiard) reinstalls its handler right after `worker_process_init`. Between tasks
the pool's handler ends the child.
"""

from __future__ import annotations

import os
import signal
from multiprocessing import Value
from types import FrameType
from typing import Any

from celery.signals import (
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_shutting_down,
)

from newsletter.lib import parent_death

_parent_stopping = Value("b", 0, lock=False)
_sigterm_received = False
_is_child = False
_parent = 0
_pool_handler: Any = signal.SIG_DFL


def requested() -> bool:
    """Return True once this process got SIGTERM or its parent began to shut down."""
    return _sigterm_received or bool(_parent_stopping.value)


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    global _sigterm_received
    _sigterm_received = True


@worker_init.connect
def _create_flag(**_: Any) -> None:
    """Share the flag with this worker's children only: several may have a common parent."""
    global _parent_stopping
    _parent_stopping = Value("b", 0, lock=False)


@worker_process_init.connect
def _mark_as_child(**_: Any) -> None:
    global _is_child, _parent
    _is_child, _parent = True, os.getppid()
    # Celery has us killed as soon as our parent dies, in the middle of a hand-over. SIGTERM lets
    # the task come to an orderly end.
    parent_death.die_with(_parent)


@task_prerun.connect
def _install_handler(**_: Any) -> None:
    global _sigterm_received, _pool_handler
    if _is_child:
        _sigterm_received = False  # an earlier SIGTERM was for another task
        _pool_handler = signal.signal(signal.SIGTERM, _on_sigterm)


@task_postrun.connect
def _restore_handler(**_: Any) -> None:
    if _is_child:
        signal.signal(signal.SIGTERM, _pool_handler)
        if _sigterm_received and os.getppid() != _parent:
            # The signal said that our parent is dead. Nobody will send another one, or a task, and
            # the pipe that tasks come from stays open as long as our siblings live.
            os._exit(0)


@worker_shutting_down.connect
def _notify_children(**_: Any) -> None:
    _parent_stopping.value = 1

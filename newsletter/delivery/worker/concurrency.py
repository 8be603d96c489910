"""Limit how many of a worker's processes send issues at once.

`manage.py worker` lets all but one send. The one that is left handles ticks, sign-ups and
transactional emails. Otherwise a slow relay would delay a confirmation, and the rescue of a lost
batch, for as long as a mailing takes.

A slot is a POSIX record lock, held by a process, on an unnamed file: if the process is killed, the
kernel frees the slot.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_lock_file: IO[bytes] | None = None
_slots = 0


def limit(slots: int) -> None:
    """Let at most `slots` of this process's children send; call it before they are forked."""
    global _lock_file, _slots
    _lock_file, _slots = tempfile.TemporaryFile(), slots  # noqa: SIM115 - stays open as long as the process


@contextmanager
def sending_slot() -> Iterator[bool]:
    """Take a slot for the block, and yield whether one was free. Always True without a limit."""
    has_slot = _lock_file is None
    for number in range(_slots):
        has_slot = _try_lock(number)
        if has_slot:
            break
    try:
        yield has_slot
    finally:
        if _lock_file is not None and has_slot:
            fcntl.lockf(_lock_file, fcntl.LOCK_UN, 1, number)


def _try_lock(number: int) -> bool:
    assert _lock_file is not None  # noqa: S101
    try:
        fcntl.lockf(_lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except (BlockingIOError, PermissionError):
        return False
    return True

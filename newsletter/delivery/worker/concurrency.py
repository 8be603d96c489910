"""How many of a worker's processes send issues at once: with `manage.py worker` all but one, which
is left for ticks, sign-ups and single mails. Else a slow relay would hold up a confirmation, and
the rescue of a lost batch, for as long as a send-out takes.

A slot is a record lock (POSIX, by process) on a file without a name: who is killed gives it back.
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
    """For this process's children, which are forked afterwards."""
    global _lock_file, _slots
    _lock_file, _slots = tempfile.TemporaryFile(), slots  # noqa: SIM115 - open as long as the process


@contextmanager
def sending_slot() -> Iterator[bool]:
    """Whether there is a slot, which is held until the end. Without a limit there always is."""
    taken = _lock_file is None
    for number in range(_slots):
        taken = _take(number)
        if taken:
            break
    try:
        yield taken
    finally:
        if _lock_file is not None and taken:
            fcntl.lockf(_lock_file, fcntl.LOCK_UN, 1, number)


def _take(number: int) -> bool:
    assert _lock_file is not None  # noqa: S101
    try:
        fcntl.lockf(_lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except (BlockingIOError, PermissionError):
        return False
    return True

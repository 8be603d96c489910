"""Records in VAR_DIR/run: a lock for one run at a time, and the processes that a run started.

If a run is killed where nothing ties its processes to it, the next run stops them.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newsletter.lib.processes import started_at


class AlreadyRunningError(Exception):
    """Another `manage.py up` uses this folder. The message is its process ID."""


@contextmanager
def exclusive_run(directory: Path) -> Iterator[None]:
    """Lock the folder. The lock is released however we end. Raises AlreadyRunningError."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "up.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunningError(file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def save(directory: Path, pids: Iterable[int]) -> None:
    """Record the process groups of this run, completely or not at all."""
    text = json.dumps({str(pid): started_at(pid) for pid in pids})
    unfinished = directory / "processes.json.new"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(directory / "processes.json")


def delete(directory: Path) -> None:
    """Delete the record: all processes have stopped."""
    (directory / "processes.json").unlink(missing_ok=True)


def still_running(directory: Path) -> list[int]:
    """Return the leaders of process groups that an earlier run started and that still run."""
    try:
        recorded = json.loads((directory / "processes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [int(pid) for pid, start in recorded.items() if start and started_at(int(pid)) == start]


def stop_still_running(directory: Path, *, grace: float) -> list[int]:
    """Stop them: SIGTERM, and after `grace` seconds SIGKILL to their groups. Return their pids."""
    found = still_running(directory)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while still_running(directory) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in found:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return found

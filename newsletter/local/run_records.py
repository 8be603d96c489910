"""What a run leaves in VAR_DIR/run, so that there is one run at a time, and so that the next one
can end what an earlier one was not allowed to end (kill -9 where no leash holds)."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another `manage.py up` holds this folder; the text is its process id."""


@contextmanager
def exclusive_run(directory: Path) -> Iterator[None]:
    """Hold the folder. The system lets go of it however we end. Raises AlreadyRunningError."""
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


def started_at(pid: int) -> str:
    """When the process started, in its system's own form; "" where there is none. With the pid it
    identifies a process: pids are given out again."""
    try:
        # Field 22, counted after the name, which may hold spaces and brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def save(directory: Path, pids: Iterable[int]) -> None:
    """Write down which process groups are ours, whole or not at all."""
    text = json.dumps({str(pid): started_at(pid) for pid in pids})
    fresh = directory / "processes.json.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(directory / "processes.json")


def delete(directory: Path) -> None:
    (directory / "processes.json").unlink(missing_ok=True)


def still_running(directory: Path) -> list[int]:
    """Leaders of process groups that an earlier run started and that still live."""
    try:
        noted = json.loads((directory / "processes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [int(pid) for pid, start in noted.items() if start and started_at(int(pid)) == start]


def stop_still_running(directory: Path, *, grace: float) -> list[int]:
    """End them: SIGTERM, and after `grace` seconds SIGKILL for their whole groups."""
    found = still_running(directory)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + grace
    while still_running(directory) and time.monotonic() < until:
        time.sleep(0.1)
    for pid in found:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return found

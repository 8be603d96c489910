"""Processes: how soon one that exits is restarted, and whether one that we know still exists."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

RESTART_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each restart of a process that keeps exiting."""
STABLE_SECONDS = 60.0
"""After this uptime, the delays start over."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class Restarts:
    """Counts how often a process exited soon after its start."""

    exits: int = 0

    def next_delay(self, uptime: float) -> float:
        """Return how many seconds to wait before the restart of a process that ran for `uptime`."""
        self.exits = 1 if uptime > STABLE_SECONDS else self.exits + 1
        return RESTART_DELAYS[min(self.exits, len(RESTART_DELAYS)) - 1]


def exit_reason(code: int | None) -> str:
    """Return how a process exited: “status 3” or “signal SIGKILL”. `code` is that of Popen."""
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"status {code}"


def started_at(pid: int) -> str:
    """Return when the process started, in the system's format, or "" if it doesn't exist.

    Pids are reused, so only both together identify a process.
    """
    if state := _state(pid):
        return state[19]
    if Path("/proc/self/stat").exists():
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _state(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third one, the state, on; [] without one."""
    try:
        # Count after the name, which may contain spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return fields if len(fields) > 19 else []


def host_id() -> str:
    """Return an ID of this boot of this host, or of this container; "" if the system has none.

    Processes with the same ID see each other. It reveals no name.
    """
    try:
        boot = BOOT_ID.read_text().strip()
        visible = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {visible}".encode()).hexdigest()[:16]


def own_id() -> str:
    """Return what identifies this process among all processes of all hosts; "" if unknown."""
    return _own_id(os.getpid())


@lru_cache(maxsize=1)
def _own_id(pid: int) -> str:
    host = host_id()
    return f"{host}:{pid}:{started_at(pid)}" if host else ""


def is_gone(process_id: str) -> bool:
    """Return whether the process with this `own_id` ran on this host and certainly ended.

    False if it runs, if it is suspended, and if it belongs to another host, container or boot.
    """
    host, _, rest = process_id.partition(":")
    if not host or host != host_id():
        return False
    pid, _, start = rest.partition(":")
    state = _state(int(pid))
    # A zombie has ended, although nobody has asked for its exit status yet.
    return not state or state[19] != start or state[0] in "ZX"

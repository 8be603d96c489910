"""Read the CPU time and memory of processes from /proc."""

from __future__ import annotations

import os
from pathlib import Path
from time import sleep

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int | str = "self") -> float:
    """Return a process's user and system time so far, or 0.0 if it isn't on this machine."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_memory(pid: int | str = "self") -> int:
    """Return a process's peak memory in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def is_quiet() -> bool:
    """Return whether the machine is more than 85 % idle for a second."""
    before = _all_and_idle()
    sleep(1)
    everything, idle = (now - then for now, then in zip(_all_and_idle(), before, strict=True))
    return idle / everything > 0.85


def _all_and_idle() -> tuple[int, int]:
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return sum(ticks), ticks[3]


def machine() -> str:
    """Describe the machine for the report."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}, load {load:.1f} at the start"

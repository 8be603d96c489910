"""The worker's parent process: fork its parts, restart those that die, and stop them all.

The parent has loaded the program and does nothing else, so its parts share its memory and start in
a moment. It holds no connection and starts no thread. Each part leads its own session, so that a
signal to the parent's group reaches the parts only through the parent.

If a part dies, its own children first get SIGTERM, because one of them may be in the middle of a
batch, and are killed after a grace period. If the parent itself is killed, Linux sends SIGTERM to
the parts.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType

from newsletter.lib.parent_death import die_with
from newsletter.lib.processes import Restarts, exit_reason

log = logging.getLogger(__name__)
GRACE_SECONDS = 15.0
"""How long the parts may take to stop. `manage.py up` waits for 20 seconds."""
POLL_SECONDS = 0.1
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
Part = Callable[[], int]


class PartProcess:
    """A part and the process that runs it; `pid` is 0 while there is none."""

    def __init__(self, name: str, part: Part) -> None:
        self.name, self.part = name, part
        self.pid = 0
        self._started_at = 0.0
        self._restart_at = 0.0
        self._restarts = Restarts()

    def start(self) -> None:
        parent = os.getpid()
        self._started_at = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            _run(self.part, parent)

    def has_exited(self) -> bool:
        """Return whether the process exited since the last call; log it and plan the restart."""
        if not self.pid:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return False
        self.pid = 0
        delay = self._restarts.next_delay(time.monotonic() - self._started_at)
        self._restart_at = time.monotonic() + delay
        facts = {"part": self.name, "reason": exit_reason(os.waitstatus_to_exitcode(status))}
        log.error("worker-part-exited", extra={**facts, "restart_in": f"{delay:g}"})
        return True

    def is_due(self) -> bool:
        return not self.pid and time.monotonic() >= self._restart_at


class WorkerSupervisor:
    """Runs the parts, which are functions that return an exit status."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = [PartProcess(name, part) for name, part in parts.items()]
        self._signals = 0
        self._groups: dict[int, float] = {}
        """Process groups of parts that died, and when what is left of them is killed."""

    def run(self) -> None:
        """Run until a signal. A second signal kills what hasn't stopped."""
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            while not self._signals:
                for part in self._parts:
                    self._look_after(part)
                self._kill_expired_groups()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _look_after(self, part: PartProcess) -> None:
        pid = part.pid
        if part.has_exited():
            _signal_group(pid, signal.SIGTERM)
            self._groups[pid] = time.monotonic() + GRACE_SECONDS
        if part.is_due():
            part.start()

    def _kill_expired_groups(self) -> None:
        for group, deadline in list(self._groups.items()):
            if time.monotonic() >= deadline:
                _signal_group(group, signal.SIGKILL)
                del self._groups[group]

    def _stop(self) -> None:
        """Stop all parts at the same time. The rest of their groups is killed."""
        running = {part.pid: part.name for part in self._parts if part.pid}
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        left, deadline = set(running), time.monotonic() + GRACE_SECONDS
        while left and time.monotonic() < deadline and self._signals < 2:
            left -= {pid for pid in left if os.waitpid(pid, os.WNOHANG)[0]}
            time.sleep(POLL_SECONDS)
        for pid in left:
            log.error("worker-part-killed", extra={"part": running[pid]})
        for group in {*running, *self._groups}:
            _signal_group(group, signal.SIGKILL)
        for pid in left:
            os.waitpid(pid, 0)


def _run(part: Part, parent: int) -> None:
    """Run the part in the process that was just forked, and end the process."""
    status = 1
    try:
        os.setsid()
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        die_with(parent)
        status = part()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - nothing may escape into the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)

"""One supervised process: start it, copy its output, restart it with backoff, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.lib import parent_death
from newsletter.lib.processes import Restarts, exit_reason
from newsletter.local.console import Console

PARENT_DEATH_SCRIPT = Path(parent_death.__file__)


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Callable[[], bool]


@dataclass
class Process:
    """A running program. Start it from the main thread only: Linux ties the parent-death signal to
    the thread that forked."""

    program: Program
    console: Console
    directory: Path
    restarts: Restarts = field(default_factory=Restarts)
    started_at: float = 0.0
    restart_at: float | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    child: subprocess.Popen[bytes] | None = None
    _reader: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        return self.child.pid if self.child else 0

    def start(self) -> None:
        """Start it in a new session, so that the terminal's Ctrl-C reaches only the supervisor."""
        self.restart_at = None
        self.started_at = time.monotonic()
        self.child = subprocess.Popen(  # noqa: S603
            [sys.executable, str(PARENT_DEATH_SCRIPT), str(os.getpid()), *self.program.command],
            cwd=self.directory,
            env=dict(self.program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._copy_output, args=(self.child,), daemon=True)
        self._reader.start()

    def _copy_output(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None  # noqa: S101
        for raw in child.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            self.last_lines.append(line)
            self.console.line(self.name, line)

    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def restart_if_due(self) -> None:
        """Restart it if it has exited and its delay is over; report both."""
        if self.is_running():
            return
        now = time.monotonic()
        if self.restart_at is None:
            delay = self.restarts.next_delay(now - self.started_at)
            self.restart_at = now + delay
            self.kill_group()
            self.console.report(
                f"{self.name} exited ({self.exit_reason()}); restarting in {delay:g} s"
            )
        elif now >= self.restart_at:
            self.start()

    def exit_reason(self) -> str:
        """Return how it exited: “status 3” or “signal SIGKILL”."""
        return exit_reason(self.child.returncode if self.child else None)

    def terminate(self) -> None:
        """Send SIGTERM to the leader only: a pool's children would drop their work."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def wait(self, deadline: float) -> bool:
        """Wait until the monotonic time `deadline`; return whether it exited."""
        if self.child is None:
            return True
        try:
            self.child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_group(self) -> None:
        """Kill what is left of its process group, and read its last output."""
        if self.child is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.child.wait()
        if self._reader is not None:
            self._reader.join(1.0)

"""Start the programs one after the other, keep them running, and stop them all.

However `run` ends, by a signal, an error or an exception, nothing that it started is left: each
program leads its own session and gets SIGTERM; after a grace period its whole group is killed. If
the supervisor itself is killed, newsletter.lib.parent_death stops the programs.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from newsletter.local import run_records
from newsletter.local.console import Console
from newsletter.local.processes import Process, Program

START_SECONDS = 60.0
GRACE_SECONDS = 20.0
POLL_SECONDS = 0.2


class StartError(Exception):
    """The site can't start. The message is for the person at the terminal."""


class Supervisor:
    """One run. `directory` is the programs' working directory, `records_dir` is VAR_DIR/run."""

    def __init__(
        self, programs: Sequence[Program], console: Console, *, directory: Path, records_dir: Path
    ) -> None:
        self.processes = [Process(program, console, directory) for program in programs]
        self.console = console
        self.records_dir = records_dir
        self.signals = 0

    def run(self, ports: Mapping[int, tuple[str, str]], *, ready: Callable[[], None]) -> None:
        """Run until a signal. Call `ready` once all programs are ready. Raises StartError."""
        with self._exclusive_run(), self._handling_signals():
            left = run_records.stop_still_running(self.records_dir, grace=GRACE_SECONDS)
            if left:
                self.console.report(f"stopped {len(left)} processes that an earlier run had left")
            for port, (host, variable) in ports.items():
                require_free_port(port, host=host, variable=variable)
            try:
                self._start_all()
                if not self.signals:
                    ready()
                self._run_until_signal()
            finally:
                self.stop_all()

    @contextmanager
    def _exclusive_run(self) -> Iterator[None]:
        try:
            with run_records.exclusive_run(self.records_dir):
                yield
        except run_records.AlreadyRunningError as error:
            raise StartError(
                f"The site is already running from this folder (process {error}). Use that one, "
                "stop it with Ctrl-C, or choose another folder for data: VAR_DIR=…"
            ) from None

    @contextmanager
    def _handling_signals(self) -> Iterator[None]:
        """Count signals instead of dying from them. SIGHUP means that the terminal was closed."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1

    def _start_all(self) -> None:
        for process in self.processes:
            process.start()
            run_records.save(self.records_dir, [each.pid for each in self.processes if each.pid])
            self._wait_until_ready(process)
            if self.signals:
                return
            self.console.report(f"{process.name} is ready")

    def _wait_until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.signals:
            if not process.is_running():
                process.kill_group()
                raise StartError(
                    _with_last_lines(process, f"exited at once with {process.exit_reason()}")
                )
            if process.program.ready():
                return
            if time.monotonic() > deadline:
                raise StartError(
                    _with_last_lines(process, f"wasn't ready within {START_SECONDS:g} s")
                )
            time.sleep(POLL_SECONDS)

    def _run_until_signal(self) -> None:
        while not self.signals:
            before = [process.pid for process in self.processes]
            for process in self.processes:
                process.restart_if_due()
            if [process.pid for process in self.processes] != before:
                run_records.save(self.records_dir, [process.pid for process in self.processes])
            time.sleep(POLL_SECONDS)

    def stop_all(self) -> None:
        """Stop all programs in reverse order, so that each can still use those it depends on.

        A second signal skips the grace period.
        """
        self.console.report("stopping …")
        for process in reversed(self.processes):
            process.terminate()
            deadline = time.monotonic() + GRACE_SECONDS
            while not process.wait(min(deadline, time.monotonic() + POLL_SECONDS)):
                if time.monotonic() > deadline or self.signals > 1:
                    self.console.report(f"{process.name} didn't stop in time and was killed")
                    break
            process.kill_group()
        run_records.delete(self.records_dir)
        self.console.report("stopped")


def _with_last_lines(process: Process, problem: str) -> str:
    lines = "\n".join(f"  {line}" for line in process.last_lines)
    return f"{process.name} {problem}.\n{lines}" if lines else f"{process.name} {problem}."


def require_free_port(port: int, *, host: str, variable: str) -> None:
    """Raise StartError if something listens on the port, or if we may not."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # Like servers: a port that was in use a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            if sys.platform != "linux":
                probe.listen()
    except OSError as error:
        raise StartError(
            f"Port {port} can't be used ({error.strerror}). "
            f"Choose another: {variable}={port + 10} make run"
        ) from None

"""Starts the programs one after the other, keeps them running, ends them all.

However `run` is left, by a signal, an error or an exception, nothing that it started stays: each
program leads a session of its own, is asked to end (SIGTERM), and after a grace its whole group is
killed. Where we are killed outright, the leash ends them (leash.py).
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
    """The text says why, for the person at the terminal."""


class Supervisor:
    """One run. `directory` is where programs run; `traces_in` is VAR_DIR/run."""

    def __init__(
        self, programs: Sequence[Program], console: Console, *, directory: Path, records_dir: Path
    ) -> None:
        self.processes = [Process(program, console, directory) for program in programs]
        self.console = console
        self.records_dir = records_dir
        self.signals = 0

    def run(self, ports: Mapping[int, tuple[str, str]], *, ready: Callable[[], None]) -> None:
        """Until a signal. `ready` is called once, when all answer. Raises StartError."""
        with self._one_run(), self._handling_signals():
            left = run_records.stop_still_running(self.records_dir, grace=GRACE_SECONDS)
            if left:
                self.console.report(f"ended what an earlier run had left: {len(left)} processes")
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
    def _one_run(self) -> Iterator[None]:
        try:
            with run_records.exclusive_run(self.records_dir):
                yield
        except run_records.AlreadyRunningError as error:
            raise StartError(
                f"This folder's site runs already (process {error}). Use that one, end it with "
                "Ctrl-C there, or choose another folder for data: VAR_DIR=…"
            ) from None

    @contextmanager
    def _handling_signals(self) -> Iterator[None]:
        """Count signals instead of being ended by them; a hang-up is a closed terminal."""
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
        until = time.monotonic() + START_SECONDS
        while not self.signals:
            if not process.running():
                process.kill_group()
                raise StartError(_why(process, f"ended at once, with {process.exit_reason()}"))
            if process.program.ready():
                return
            if time.monotonic() > until:
                raise StartError(_why(process, f"did not answer within {START_SECONDS:g} s"))
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
        """In the reverse order, so that each still finds what it needs to end well. A second
        signal ends the patience."""
        self.console.report("ending …")
        for process in reversed(self.processes):
            process.terminate()
            until = time.monotonic() + GRACE_SECONDS
            while not process.wait(min(until, time.monotonic() + POLL_SECONDS)):
                if time.monotonic() > until or self.signals > 1:
                    self.console.report(f"{process.name} does not end; killed")
                    break
            process.kill_group()
        run_records.delete(self.records_dir)
        self.console.report("ended")


def _why(process: Process, what: str) -> str:
    lines = "\n".join(f"  {line}" for line in process.last_lines)
    return f"{process.name} {what}.\n{lines}" if lines else f"{process.name} {what}."


def require_free_port(port: int, *, host: str, variable: str) -> None:
    """Raise StartError where somebody listens at the port, or where we may not."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: a port that was in use a moment ago can be taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            if sys.platform != "linux":
                probe.listen()
    except OSError as error:
        raise StartError(
            f"Port {port} cannot be used ({error.strerror}). "
            f"Choose another: {variable}={port + 10} make run"
        ) from None

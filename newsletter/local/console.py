"""Output of the supervisor and its processes: to the terminal with the process's name before each
line, and to one log file for each process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, TextIO

COLOURS = {"broker": 35, "mailbox": 33, "web": 36, "worker": 32, "beat": 34, "up": 1}
MAX_LOG_BYTES = 5_000_000


class Console:
    """Writes whole lines from several threads."""

    def __init__(self, terminal: TextIO, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._terminal = terminal
        self._coloured = terminal.isatty()
        self._directory = directory
        self._files: dict[str, IO[str]] = {}
        self._lock = threading.Lock()

    def report(self, text: str) -> None:
        """Write a line of the supervisor itself."""
        self.line("up", text)

    def line(self, name: str, text: str) -> None:
        """Write a line of the named process to the terminal and to its file."""
        label = f"{name:<8}"
        if self._coloured:
            label = f"\x1b[{COLOURS.get(name, 0)}m{label}\x1b[0m"
        with self._lock:
            self._file(name).write(f"{text}\n")
            self._write(f"{label}{text}\n")

    def plain(self, text: str) -> None:
        """Write to the terminal only: the text may contain a password."""
        with self._lock:
            self._write(text)

    def _write(self, text: str) -> None:
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except OSError:
            # The terminal was closed. The files have the line, and work goes on until SIGHUP.
            self._coloured = False

    def _file(self, name: str) -> IO[str]:
        if name not in self._files:
            path = self._directory / f"{name}.log"
            if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
                path.replace(path.with_suffix(".log.1"))
            self._files[name] = path.open("a", encoding="utf-8", buffering=1)
        return self._files[name]

    def close(self) -> None:
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

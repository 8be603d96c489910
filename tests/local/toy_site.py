"""A supervisor with trivial programs, for test_supervisor.py to start in a separate process.

Its arguments are a folder, a port and the programs to run. It prints READY once all are ready.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from newsletter.local import supervisor
from newsletter.local.console import Console
from newsletter.local.processes import Program

CALM = "import time; time.sleep(600)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
PROGRAMS = {
    "calm": CALM,
    # Ignores SIGTERM.
    "stubborn": f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {CALM}",
    # Starts a child that ignores SIGTERM.
    "parent": PARENT.format(
        child="import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "open(os.environ['NOTES'] + '/child', 'w').write(str(os.getpid())); time.sleep(600)"
    ),
    "broken": "import sys; print('no such table: reader'); sys.exit(3)",
}
NOTE = "import os; open(os.environ['NOTES'] + '/{name}', 'w').write(str(os.getpid())); "


def program(name: str, notes: Path) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-c", NOTE.format(name=name) + PROGRAMS[name]),
        environment={**os.environ, "NOTES": str(notes)},
        ready=lambda: (notes / name).exists() and bool((notes / name).read_text()),
    )


def main() -> None:
    folder, port, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    supervisor.GRACE_SECONDS = 1.0
    site = supervisor.Supervisor(
        [program(name, folder) for name in names],
        Console(sys.stdout, folder / "log"),
        directory=folder,
        records_dir=folder / "run",
    )
    try:
        site.run({port: ("127.0.0.1", "PORT")}, ready=lambda: print("READY", flush=True))
    except supervisor.StartError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()

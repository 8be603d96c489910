"""End a process when its parent dies, even by kill -9.

A forked process calls `die_with`. For a command, start `python parent_death.py PID COMMAND…` with
the parent's ID: it sets the parent-death signal and becomes the command. Linux keeps the signal
across exec (prctl(2), PR_SET_PDEATHSIG). Only that process gets it, so it is SIGTERM: the process
then stops its own children. Other systems have no such signal: the next `manage.py up` stops
whatever an earlier one left running.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Let the system send us SIGTERM when `parent` dies; exit if it is dead already.

    Linux ties the signal to the thread that forked, so the parent has to fork in its main thread.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before the call
            sys.exit(1)


def main() -> None:
    command = sys.argv[2:]
    die_with(int(sys.argv[1]))
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

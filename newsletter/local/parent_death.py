"""Run a command that is terminated when its parent dies, even by kill -9.

The supervisor starts `python parent_death.py PARENT_PID COMMAND…`, which sets the parent-death
signal and becomes the command: Linux keeps the signal across exec (prctl(2), PR_SET_PDEATHSIG).
Only this process gets it, so it is SIGTERM: the command then stops its own children. On other
systems, the next `manage.py up` stops whatever an earlier one left running.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before the call
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

"""Runs a command that ends when the process that started it does, even by kill -9.

Called by path, `python parent_death.py PARENT COMMAND…`, between fork and the command's own exec: Linux
keeps the death signal across exec (prctl(2), PR_SET_PDEATHSIG). It reaches this one process, so
SIGTERM it is: the command then ends its own children. Other systems have no such signal; there
the next `manage.py up` ends what an earlier one left.
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
        if os.getppid() != parent:  # it died before the call
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

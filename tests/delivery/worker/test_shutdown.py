"""A pool's process whose parent was killed ends after its task: nobody would end it later (E7)."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The parent is killed while its child is in a task. The child says what it lives to see.
PROGRAM = """
import os, signal, sys, time
from newsletter.delivery.worker import shutdown

if os.fork():
    signal.pause()
shutdown._mark_as_child()
shutdown._install_handler()
print("in a task", flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getppid(), signal.SIGKILL)
else:
    os.kill(os.getpid(), signal.SIGTERM)
deadline = time.monotonic() + 10
while not shutdown.requested() and time.monotonic() < deadline:
    time.sleep(0.01)
print("task done", flush=True)
shutdown._restore_handler()
print("waiting for a task", flush=True)
if sys.argv[1] == "alive":
    os.kill(os.getppid(), signal.SIGKILL)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no parent-death signal")
@pytest.mark.parametrize(
    ("parent", "said"),
    [
        ("killed", ["in a task", "task done"]),
        ("alive", ["in a task", "task done", "waiting for a task"]),
    ],
)
def test_a_child_ends_after_its_task_only_if_its_parent_is_dead(
    parent: str, said: list[str]
) -> None:
    # Reading to the end of its output waits for the child too, which has the same pipe.
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, parent],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.splitlines() == said
    assert ran.stderr == ""

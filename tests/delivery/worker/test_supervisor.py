"""The worker's parent keeps its parts running, and stops them all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import ROOT, wait_until

pytestmark = pytest.mark.server
PARTS = """
import os, signal, sys, time
from pathlib import Path
from newsletter.delivery.worker import supervisor
folder = Path(sys.argv[1])
supervisor.GRACE_SECONDS = 1.0

def note(name):
    (folder / f"{name}.new").write_text(str(os.getpid()))
    (folder / f"{name}.new").replace(folder / name)

def calm():
    note("calm")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("stubborn")
    while True:
        time.sleep(60)

def parent():
    if os.fork() == 0:
        def finish(*_):
            time.sleep(0.2)
            (folder / "finished").touch()
            os._exit(0)
        signal.signal(signal.SIGTERM, finish)
        note("child")
        while True:
            signal.pause()
    note("parent")
    signal.pause()

def wrong():
    raise SystemExit("newsletter.E000: a message")

supervisor.WorkerSupervisor({name: globals()[name] for name in sys.argv[2:]}).run()
"""


class Worker:
    def __init__(self, folder: Path, *parts: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARTS, str(folder), *parts],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in parts:
            if name != "wrong":
                wait_until(name, (folder / name).exists, 20)

    def pid(self, name: str) -> int:
        return int((self.folder / name).read_text())

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Send a signal, and return what was logged."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=20)[1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start_worker(*parts: str) -> Worker:
        workers.append(Worker(tmp_path, *parts))
        return workers[-1]

    yield start_worker
    for worker in workers:
        worker.process.kill()
        worker.process.communicate()
        for name in ("calm", "stubborn", "parent", "child"):
            if (tmp_path / name).exists() and alive(worker.pid(name)):
                os.kill(worker.pid(name), signal.SIGKILL)


def alive(pid: int) -> bool:
    """Return whether the process runs. A zombie doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_parts(start: Callable[..., Worker], number: int) -> None:
    worker = start("calm", "stubborn")
    pids = [worker.pid("calm"), worker.pid("stubborn")]
    log = worker.stop(number)
    assert worker.process.returncode == 0
    assert not any(map(alive, pids))
    assert log.count("worker-part-killed") == 1, "only one had to be killed"


def test_a_part_that_dies_is_restarted_and_the_log_says_why(start: Callable[..., Worker]) -> None:
    worker = start("calm")
    first = worker.pid("calm")
    os.kill(first, signal.SIGKILL)
    wait_until("the restart", lambda: worker.pid("calm") != first, 10)
    assert alive(worker.pid("calm"))
    second = worker.pid("calm")
    assert "worker-part-exited" in worker.stop()
    assert not alive(second)


def test_children_of_a_dead_part_may_finish(start: Callable[..., Worker]) -> None:
    """One of them may be in the middle of a batch, which kill -9 would leave in doubt."""
    worker = start("parent")
    wait_until("the child", (worker.folder / "child").exists, 10)
    child = worker.pid("child")
    os.kill(worker.pid("parent"), signal.SIGKILL)
    wait_until("the child to finish", (worker.folder / "finished").exists, 10)
    wait_until("the child to end", lambda: not alive(child), 10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the parent-death signal")
def test_a_killed_parent_takes_its_parts_with_it(start: Callable[..., Worker]) -> None:
    worker = start("calm")
    pid = worker.pid("calm")
    worker.stop(signal.SIGKILL)
    wait_until("the part to end", lambda: not alive(pid), 10)


def test_the_message_of_a_part_that_refuses_to_start_is_shown(start: Callable[..., Worker]) -> None:
    worker = start("calm", "wrong")
    time.sleep(0.3)
    log = worker.stop()
    assert "newsletter.E000: a message" in log
    assert "Traceback" not in log

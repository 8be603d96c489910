"""`manage.py up` with real processes: however it ends, nothing that it started is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from newsletter.lib.processes import started_at

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.server


class Site:
    """The toy site in a separate process, as started from a terminal."""

    def __init__(self, folder: Path, port: int, *names: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.local.toy_site", str(folder), str(port), *names],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == "READY\n":
                return
        pytest.fail(f"it was never ready: {self.process.communicate()[1]}")

    def pid(self, name: str) -> int:
        return int((self.folder / name).read_text())

    def stop(self, number: int) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def start_site(*names: str, at: int = port) -> Site:
        sites.append(Site(tmp_path, at, *names))
        return sites[-1]

    yield start_site
    for site in sites:
        with suppress(ProcessLookupError):
            site.process.kill()
        site.process.communicate()


def alive(pid: int) -> bool:
    """Return whether the process runs. A zombie doesn't."""
    with suppress(FileNotFoundError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def eventually(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(start: Callable[..., Site], number: int) -> None:
    site = start("calm", "parent", "stubborn")
    site.wait_until_ready()
    assert eventually(lambda: bool((site.folder / "child").exists()))
    pids = [site.pid(name) for name in ("calm", "parent", "child", "stubborn")]
    output = site.stop(number)
    assert site.process.returncode == 0
    assert not any(map(alive, pids))
    assert "stubborn didn't stop in time and was killed" in output
    assert not (site.folder / "run" / "processes.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the parent-death signal")
def test_a_killed_supervisor_takes_its_programs_with_it(start: Callable[..., Site]) -> None:
    site = start("calm")
    site.wait_until_ready()
    pid = site.pid("calm")
    site.stop(signal.SIGKILL)
    assert eventually(lambda: not alive(pid))


def test_the_next_run_stops_what_a_killed_one_left(start: Callable[..., Site]) -> None:
    first = start("stubborn")
    first.wait_until_ready()
    left = first.pid("stubborn")
    first.stop(signal.SIGKILL)
    assert alive(left)
    second = start("calm")
    second.wait_until_ready()
    assert not alive(left)
    assert second.stop(signal.SIGINT).endswith("stopped\n")


def test_a_reused_pid_is_left_alone(start: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        record = f'{{"{bystander.pid}": "another start than its own"}}'
        (tmp_path / "run" / "processes.json").write_text(record)
        site = start("calm")
        site.wait_until_ready()
        site.stop(signal.SIGINT)
        assert bystander.poll() is None
        bystander.kill()


def test_a_program_that_dies_is_restarted(start: Callable[..., Site]) -> None:
    site = start("calm")
    site.wait_until_ready()
    first = site.pid("calm")
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: site.pid("calm") != first)
    second = site.pid("calm")
    assert alive(second)
    output = site.stop(signal.SIGINT)
    assert "calm exited (signal SIGKILL); restarting in 1 s" in output
    assert not alive(second)


def test_a_program_that_cannot_start_stops_the_others_and_says_why(
    start: Callable[..., Site],
) -> None:
    site = start("calm", "broken")
    _, error = site.process.communicate(timeout=20)
    assert site.process.returncode == 1
    assert not alive(site.pid("calm"))
    assert "broken exited at once with status 3." in error
    assert "no such table: reader" in error


def test_a_busy_port_is_reported_before_anything_starts(
    start: Callable[..., Site], port: int, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        site = start("calm")
        _, error = site.process.communicate(timeout=20)
    assert site.process.returncode == 1
    assert f"Port {port} can't be used (Address already in use)" in error
    assert f"PORT={port + 10}" in error
    assert not (tmp_path / "calm").exists()


def test_a_second_run_in_the_same_folder_is_refused(start: Callable[..., Site]) -> None:
    first = start("calm")
    first.wait_until_ready()
    second = start("calm")
    _, error = second.process.communicate(timeout=20)
    assert second.process.returncode == 1
    assert f"is already running from this folder (process {first.process.pid})" in error
    assert alive(first.pid("calm"))


def test_each_program_has_its_own_log(start: Callable[..., Site]) -> None:
    site = start("calm", "broken")
    site.process.communicate(timeout=20)
    assert (site.folder / "log" / "broken.log").read_text() == "no such table: reader\n"


def test_only_a_running_process_has_a_start_time() -> None:
    assert started_at(os.getpid())
    assert started_at(2**22 + 1) == ""

"""Whether a process that we know still exists, and how soon one that exits is restarted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from newsletter.lib import processes
from newsletter.lib.processes import Restarts, exit_reason, is_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def test_this_process_is_not_gone() -> None:
    assert not is_gone(processes.own_id())


def test_a_forked_process_has_an_id_of_its_own() -> None:
    read, write = os.pipe()
    own = processes.own_id()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.write(write, processes.own_id().encode())
        os._exit(0)
    os.close(write)
    other = os.read(read, 200).decode()
    os.close(read)
    assert other.split(":")[:2] == [own.split(":")[0], str(child)]
    assert other != own
    os.waitpid(child, 0)
    assert is_gone(other)


@pytest.mark.slow
def test_a_process_is_gone_once_it_ended_but_not_while_it_is_suspended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        known = f"{processes.host_id()}:{child.pid}:{processes.started_at(child.pid)}"
        assert not is_gone(known)
        child.send_signal(signal.SIGSTOP)
        assert not is_gone(known)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(known), "nobody has asked for its exit status, so it is a zombie"
    assert is_gone(known)


def test_a_process_with_a_reused_pid_is_gone() -> None:
    host, pid, start = processes.own_id().split(":")
    assert is_gone(f"{host}:{pid}:{int(start) - 1}")


@pytest.mark.parametrize("known", ["", "0123456789abcdef:1:5", "0123456789abcdef:4194304:5"])
def test_nobody_knows_about_processes_of_other_hosts(known: str) -> None:
    assert not is_gone(known)


def test_the_delay_before_a_restart_grows_and_starts_over_after_a_minute() -> None:
    restarts = Restarts()
    assert [restarts.next_delay(1.0) for _ in range(8)] == [1, 2, 4, 8, 15, 30, 30, 30]
    assert restarts.next_delay(61.0) == 1
    assert restarts.next_delay(1.0) == 2


def test_exit_reasons_name_the_signal() -> None:
    assert (exit_reason(3), exit_reason(-9), exit_reason(None)) == (
        "status 3",
        "signal SIGKILL",
        "status None",
    )

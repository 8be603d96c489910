"""Two processes that share a relay's connections."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.transport.relay import Relay

pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_two_processes_of_eight_share_a_relay_that_allows_eight() -> None:
    """D9 (issue 11, criterion 2): everybody is sent to in one round, and nobody is deferred.

    The second starts when the first holds all eight.
    """
    relay = Relay(limit=8)
    relay.delays["."] = 0.05
    processes = [_start(relay, 0, 600)]
    try:
        lines = _lines_until_all_are_open(processes[0], relay)
        processes.append(_start(relay, 600, 900))
        for process in processes:
            # Not `communicate`, which loses what `readline` has buffered.
            assert process.stdout is not None
            with process.stdout as output:
                lines += output.read().splitlines()
            assert process.wait(60) == 0
    finally:
        for process in processes:
            process.kill()
        relay.close()
    assert sorted(int(line.split()[0]) for line in lines) == list(range(900))
    assert {line.split()[1] for line in lines} == {"SENT"}
    assert len(relay.messages) == 900
    assert relay.most_at_once == 8
    assert relay.refused


def _lines_until_all_are_open(process: subprocess.Popen[str], relay: Relay) -> list[str]:
    assert process.stdout is not None
    lines = []
    while relay.served < relay.limit:
        lines.append(process.stdout.readline())
        assert lines[-1], "the first process ended early"
    return lines


def _start(relay: Relay, first: int, last: int) -> subprocess.Popen[str]:
    url = f"smtp://127.0.0.1:{relay.port}?connections=8"
    command = [sys.executable, "-m", "tests.transport.smtp.sending_process", url]
    return subprocess.Popen(
        [*command, str(first), str(last)],
        stdout=subprocess.PIPE,
        text=True,
    )

"""Measure the other contenders: naive Django, smtp-source, a pipelined C sender."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.programs import SMTP_SOURCE, Programs, Sink, running_sink
from benchmarks.samples import Sample

NAIVE_PROCESSES = 2


class WrongCountError(AssertionError):
    """The sink's count differs from the sender's."""


@contextmanager
def checked_sink(programs: Programs, messages: int, **options: object) -> Iterator[Sink]:
    """Run a sink that must have accepted this number of messages at the end."""
    with running_sink(programs, **options) as sink:  # type: ignore[arg-type]
        yield sink
    if sink.counts["messages"] != messages:
        raise WrongCountError(f"{sink.counts['messages']} of {messages} arrived")


def naive(programs: Programs, messages: int) -> Sample:
    """Send half of the messages from each of two processes, over a kept connection."""
    each = messages // NAIVE_PROCESSES
    with checked_sink(programs, each * NAIVE_PROCESSES) as sink:
        senders = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.naive", str(sink.port), str(each), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(NAIVE_PROCESSES)
        ]
        for sender in senders:
            if sender.stdout is None or sender.stdout.readline() != "ready\n":
                raise WrongCountError("a naive sender did not start")
        for sender in senders:
            if sender.stdin:
                sender.stdin.write("go\n")
                sender.stdin.flush()
        reports = [json.loads(sender.communicate()[0]) for sender in senders]
    return Sample(
        messages=each * NAIVE_PROCESSES,
        seconds=max(report["seconds"] for report in reports),
        cpu=sum(report["cpu"] for report in reports),
        memory=max(report["memory"] for report in reports),
        sink_cpu=sink.counts["cpu"],
        size=sink.counts["bytes"] // (each * NAIVE_PROCESSES),
    )


def smtp_source(programs: Programs, messages: int, size: int) -> Sample | None:
    """Run Postfix's load generator: ten kept sessions, no pipelining. None if not installed."""
    if SMTP_SOURCE is None:
        return None
    with checked_sink(programs, messages) as sink:
        command = [SMTP_SOURCE, "-d", "-s10", "-m", str(messages), "-l", str(size)]
        command += ["-f", "bench@sender.example", "-t", "reader@readers.example"]
        before, began = _children_cpu(), perf_counter()
        subprocess.run([*command, f"127.0.0.1:{sink.port}"], check=True, stdout=subprocess.DEVNULL)
        seconds, cpu = perf_counter() - began, _children_cpu() - before  # the sink still runs
    return Sample(messages, seconds, cpu, sink_cpu=sink.counts["cpu"], size=size)


def pipelined(
    programs: Programs,
    messages: int,
    message: Path,
    *,
    connections: int = 4,
    window: int = 0,
    delay_ms: int = 0,
) -> Sample:
    """The C sender: DATA, or with a `window` BDAT. What the sink itself can take, at least."""
    with checked_sink(programs, messages, delay_ms=delay_ms, chunking=window > 0) as sink:
        command = [str(programs.blast), "-p", str(sink.port), "-n", str(messages)]
        command += ["-f", str(message), "-c", str(connections), "-b", str(window)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    report = json.loads(output)
    return Sample(
        messages,
        report["seconds"],
        report["cpu"],
        sink_cpu=sink.counts["cpu"],
        size=message.stat().st_size,
    )


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

"""Send a mailing with two workers, from its snapshot to recorded outcomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import override_settings

from benchmarks.newsroom import new_mailing
from benchmarks.programs import Programs, Sink, running_sink
from benchmarks.samples import Sample
from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.planning import snapshot
from newsletter.delivery.sending import protocol
from newsletter.delivery.sending.messages import build_email, recipient_factory
from newsletter.editorial.models import Newsletter
from newsletter.transport import template
from newsletter.transport.outcomes import Email, Recipient
from subscribers.audience import Reader, still_wanted

WORKERS = 2
SOMEBODY = Reader(1, 1, "reader00000001@readers.example", "en")
DELAY_STEP, DELAY_BATCH = 300, 5_000
"""With delayed replies, the messages in flight have to keep all connections of a worker busy, and a
batch has to last for many round trips, because it closes only when its slowest is answered."""


class NotBalancedError(AssertionError):
    """The sink's count differs from the report, so the run measures nothing."""


@dataclass(frozen=True)
class Run:
    """Options of a mailing. `connections` is per worker; 0 for `step` and `batch` means the
    defaults (SEND_STEP, SEND_BATCH_SIZE)."""

    delay_ms: int = 0
    chunking: bool = False
    connections: int = 8
    step: int = 0
    batch: int = 0
    certificate: Any = None
    stages: bool = False


def prepared(newsletter: Newsletter, *, batch: int = 0) -> tuple[Mailing, float]:
    """Return a mailing that is ready to be sent, and the seconds that its snapshot took."""
    mailing = new_mailing(newsletter)
    with override_settings(SEND_BATCH_SIZE=batch or settings.SEND_BATCH_SIZE):
        began = perf_counter()
        mailing = snapshot.prepare(mailing.pk)
        seconds = perf_counter() - began
    if mailing.state != Mailing.State.SENDING:
        raise NotBalancedError(f"no snapshot: {mailing.state} {mailing.hold} {mailing.hold_detail}")
    return mailing, seconds


def measure(programs: Programs, newsletter: Newsletter, run: Run) -> Sample:
    """Take a snapshot, send with two workers, and compare the sink's count with the report."""
    mailing, snapshot_seconds = prepared(newsletter, batch=run.batch)
    with running_sink(
        programs, delay_ms=run.delay_ms, chunking=run.chunking, certificate=run.certificate
    ) as sink:
        reports, seconds = _work(sink, run)
    protocol.finish_mailing(mailing.pk)
    began = perf_counter()
    _require_balance(mailing, sink)
    readers = mailing.readers or 0
    stages = {"snapshot": [snapshot_seconds, 0.0], "audit": [perf_counter() - began, 0.0]}
    for report in reports:
        for stage, (wall, cpu) in report["stages"].items():
            spent = stages.setdefault(stage, [0.0, 0.0])
            spent[0], spent[1] = spent[0] + wall, spent[1] + cpu
    return Sample(
        messages=readers,
        seconds=seconds,
        cpu=sum(report["cpu"] for report in reports),
        memory=max(report["memory"] for report in reports),
        sink_cpu=sink.counts["cpu"],
        size=sink.counts["bytes"] // max(readers, 1),
        more={"database cpu": sum(report["database"] for report in reports), "stages": stages},
    )


def _work(sink: Sink, run: Run) -> tuple[list[dict[str, Any]], float]:
    environment = {
        **os.environ,
        "DELIVERY_TRANSPORTS": sink.url(connections=run.connections),
        **({"SEND_STEP": str(run.step)} if run.step else {}),
    }
    command = [sys.executable, "-m", "benchmarks.worker", *(["stages"] if run.stages else [])]
    workers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(WORKERS)
    ]
    try:
        for worker in workers:
            _read_line(worker, expect="ready")
        began = perf_counter()
        for worker in workers:
            _continue(worker)
        reports = [json.loads(_read_line(worker, expect="{")) for worker in workers]
        seconds = perf_counter() - began
        for worker in workers:
            _continue(worker)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    return reports, seconds


def _read_line(worker: subprocess.Popen[str], *, expect: str) -> str:
    line = worker.stdout.readline() if worker.stdout else ""
    if not line.startswith(expect):
        raise NotBalancedError(f"a worker said {line!r}")
    return line


def _continue(worker: subprocess.Popen[str]) -> None:
    if worker.stdin:
        worker.stdin.write("go on\n")
        worker.stdin.flush()


def _require_balance(mailing: Mailing, sink: Sink) -> None:
    finding = audit(mailing.pk)[0]
    got = sink.counts
    if finding.faults or finding.account.sent != mailing.readers:
        raise NotBalancedError(f"{finding.as_dict()}")
    if got["again"] or got["messages"] != mailing.readers or got["recipients"] != mailing.readers:
        raise NotBalancedError(f"the sink counted {got}, the report {mailing.readers}")


def clear_ledger() -> None:
    """Delete the mailings, so that they don't affect the next measurement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE delivery_releaserecipient, delivery_outcome, delivery_batch,"
            " delivery_edition, delivery_mailing, delivery_release CASCADE"
        )


def one_email(newsletter: Newsletter) -> Email:
    """Return the edition that every reader gets."""
    mailing, _ = prepared(newsletter)
    message = build_email(mailing.editions.get())
    clear_ledger()
    return message


def one_message(newsletter: Newsletter) -> bytes:
    """Return a message as it goes on the wire, without its final dot."""
    compiled = template.compile(one_email(newsletter))
    return compiled.message(_somebody(), date=template.date_header())


def _somebody() -> Recipient:
    return recipient_factory(1)(0, SOMEBODY)


def parts(newsletter: Newsletter) -> dict[str, float]:
    """Measure the parts of a mailing alone, in this process, in microseconds of CPU time."""
    mailing, _ = prepared(newsletter)
    edition = mailing.editions.get()
    compiled = template.compile(build_email(edition))
    somebody, date, placeholders = _somebody(), template.date_header(), recipient_factory(1)
    found = {
        "compile an edition": _each(lambda: template.compile(build_email(edition)), 5),
        "a reader's placeholders (tokens, delivery ID)": _each(
            lambda: placeholders(0, SOMEBODY), 5_000
        ),
        "a reader's message (join)": _each(lambda: compiled.message(somebody, date=date), 5_000),
        "second read of 50, per reader": _each(
            lambda: still_wanted(newsletter.pk, list(range(1, 51))), 100
        )
        / 50,
    }
    clear_ledger()
    return found


def _each(function: Callable[[], object], times: int) -> float:
    function()
    began = process_time()
    for _ in range(times):
        function()
    return (process_time() - began) / times * 1e6

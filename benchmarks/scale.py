"""`python -m benchmarks.scale --readers N [--database sqlite|postgresql] [--deferred 1]`

Take a snapshot of an issue for N readers, send it and audit it, each in a separate process, and
report the time and peak memory of each. The transport renders each message and discards it, so this
measures everything but the relay; at first it defers some percent of the readers with 451. The
database is a temporary cluster or file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime
from pathlib import Path

from newsletter.lib import sandbox
from newsletter.transport import registry, template
from newsletter.transport.base import AnyTransport, Transport, never_stop
from newsletter.transport.outcomes import Email, Recipient, Result, SendResult
from newsletter.transport.template import Template
from newsletter.transport.url import TransportURL
from tests.chaos.servers import Postgres, peak_memory

ROOT = Path(__file__).resolve().parent.parent


def from_url(url: TransportURL) -> AnyTransport:
    """`null://?deferred=PERCENT`."""
    return NullTransport(url.int_option("deferred", default=0, minimum=0, maximum=100))


class NullTransport(Transport[Template]):
    """A transport that renders each message and discards it."""

    name = "null://"

    def __init__(self, deferred: int) -> None:
        self._share = deferred / 100
        self._random = random.Random(1)  # noqa: S311
        self._asked_to_wait: set[str] = set()

    def compile(self, email: Email) -> Template:
        return template.compile(email)

    def close(self) -> None:
        return

    def send(
        self,
        compiled: Template,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: Callable[[], int] | None = None,
    ) -> Generator[SendResult, None, None]:
        date = template.date_header()
        for recipient in recipients:
            message = template.render(compiled, recipient, date=date)
            if isinstance(message, SendResult):
                yield message
            elif self._waits(recipient.delivery_id):
                yield SendResult(recipient.position, Result.DEFERRED, 451, "4.7.1")
            else:
                yield SendResult(recipient.position, Result.SENT, 250, "2.0.0")
            if stop():
                return

    def _waits(self, delivery: str) -> bool:
        if delivery in self._asked_to_wait or self._random.random() >= self._share:
            return False
        self._asked_to_wait.add(delivery)
        return True


# --- Stages, each in a separate process -------------------------------------------------------
def readers(number: int) -> str:
    from tests.chaos import newsroom

    newsletter, _ = newsroom.create_newsroom()
    newsroom.add_readers(newsletter, range(number))
    return f"{number} added"


def snapshot(_: int) -> str:
    from newsletter.editorial.models import Issue
    from tests.chaos import newsroom

    mailing = newsroom.prepare_mailing(Issue.objects.get())
    return f"{mailing.readers} readers, {mailing.batches.count()} batches"


def send(_: int) -> str:
    from newsletter.delivery.models import Batch
    from newsletter.delivery.sending import protocol, rescue
    from newsletter.delivery.sending.sender import send_batch

    sent, percent, feedback = 0, float(os.environ["BENCH_BOUNCED"]), ""
    half = Batch.objects.count() // 2
    while Batch.objects.exclude(state=Batch.State.CLOSED).exists():
        due = protocol.due_batches(16)
        sent += sum(send_batch(batch) for batch in due)
        if not due:
            time.sleep(0.1)
        if percent and not feedback and sent >= half:
            feedback = f"; {_bounce(percent)}"
    rescue.finish_mailings()
    return f"{sent} batches{feedback}"


def _bounce(percent: float) -> str:
    """Report so many of the emails sent until now as hard bounces; resume a mailing that this has
    paused. Return what happened."""
    from newsletter.delivery.feedback.events import Feedback, event_key
    from newsletter.delivery.feedback.record import record_many
    from newsletter.delivery.message_ids import MAILING, MessageTrace
    from newsletter.delivery.models import Alert, Event, Mailing, Outcome
    from newsletter.delivery.oversight import alerts, control
    from newsletter.transport.outcomes import Fault
    from subscribers.models import Suppression

    mailing = Mailing.objects.get()
    readers = list(
        Outcome.objects.filter(mailing_id=mailing.pk, result=Result.SENT).values_list(
            "subscriber_id", flat=True
        )
    )
    every = round(100 / percent)
    record_many(
        [
            Feedback(
                "mail",
                Event.Kind.BOUNCED,
                event_key("mail", str(reader), recipient=str(reader), kind="bounced"),
                datetime.now(UTC),
                trace=MessageTrace(MAILING, mailing.pk, reader),
                code=550,
                status="5.1.1",
                fault=Fault.READER,
            )
            for reader in readers[::every]
        ]
    )
    alerts.watch()
    mailing.refresh_from_db()
    kinds = sorted(Alert.objects.values_list("kind", flat=True))
    found = (
        f"{len(readers[::every])} of {len(readers)} bounced, {Suppression.objects.count()}"
        f" suppressed, {mailing.state} {mailing.hold}, alerts: {', '.join(kinds) or 'none'}"
    )
    if mailing.state == Mailing.State.PAUSED:
        control.resume(mailing)
    return found


def audit(_: int) -> str:
    from newsletter.delivery.oversight.audit import audit as account

    [finding] = account()
    if finding.faults:
        raise SystemExit("; ".join(finding.faults))
    counts = {name: n for name, n in finding.report.as_dict().items() if n}
    return f"{finding.state}: {counts}"


STAGES = (readers, snapshot, send, audit)


def stage(name: str, number: int) -> None:
    """Run a stage, and print its result as JSON."""
    import django

    registry.TRANSPORTS["null"] = f"{__name__}.from_url"
    django.setup()
    started = time.monotonic()
    [run] = [function for function in STAGES if function.__name__ == name]
    result = run(number)
    seconds = time.monotonic() - started
    held, *beside = peak_memory(os.getpid())
    sandbox.stop()
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    facts = {
        "seconds": round(seconds, 1),
        "cpu": round(sum(used.ru_utime + used.ru_stime for used in both), 1),
        "megabytes": held,
        "beside": max(beside, default=0),
        "result": result,
    }
    print(json.dumps(facts))


# --- The whole run ----------------------------------------------------------------------------
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--deferred", type=int, default=1, help="per cent answered 451 at first")
    parser.add_argument("--bounced", type=float, default=0, help="per cent that bounce halfway")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        stage(options.stage, options.readers)
        return
    folder = Path(tempfile.mkdtemp(prefix="tydzen-scale-"))
    folder.chmod(0o755)  # so that the database's user can enter it
    cluster = Postgres(folder) if options.database == "postgresql" else None
    try:
        if cluster is not None:
            cluster.start_and_wait()
        _run(options, folder, cluster.url if cluster else "")
    finally:
        if cluster is not None:
            cluster.stop(signal.SIGINT)
        shutil.rmtree(folder)


def _run(options: argparse.Namespace, folder: Path, url: str) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(folder / "var"),
        **({"DATABASE_URL": url} if url else {}),
        "BROKER_URL": "redis://127.0.0.1:1/0",  # no broker, because workers aren't woken here
        "DELIVERY_TRANSPORTS": "memory://",
        "SEND_RETRY_SECONDS": "1",
        "PYTHONWARNINGS": "ignore",
        "BENCH_BOUNCED": str(options.bounced),
    }

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=None if options.verbose else subprocess.DEVNULL,
            text=True,
        )
        return done.stdout

    python("manage.py", "keys", "new", "--no-recovery")
    python("manage.py", "migrate", "--verbosity=0")
    # Only the stages know this transport.
    environment["DELIVERY_TRANSPORTS"] = f"null://null?deferred={options.deferred}"
    print(f"{options.readers} readers, {options.database}, {options.deferred} % deferred")
    for function in STAGES:
        name = function.__name__
        lines = python(
            "-m", "benchmarks.scale", f"--stage={name}", f"--readers={options.readers}"
        ).splitlines()
        facts = json.loads(lines[-1])
        beside = f" and {facts['beside']} MB beside it" if facts["beside"] else ""
        rate = round(options.readers / max(facts["seconds"], 0.1))
        print(
            f"{name:8} {facts['seconds']:8} s {facts['cpu']:8} s CPU {rate:8} readers/s"
            f" {facts['megabytes']:5} MB{beside}   {facts['result']}",
            flush=True,
        )


if __name__ == "__main__":
    main()

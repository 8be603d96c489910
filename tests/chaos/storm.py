"""Send two large mailings with real workers under bad conditions, and check that nobody is lost.

During the first, the relay answers a share of RCPT commands with 451, at random, so some readers
are deferred more than once. During the second, the relay is killed halfway, and its port stays
closed for a while. After each, the relay's record is compared with the recorded outcomes. The exit
status is 1 if they disagree, if a reader is unknown without an explanation, or if a process needs
too much memory.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from tests.chaos.environment import ChaosEnvironment, chaos_environment
from tests.chaos.servers import CONNECTIONS, Worker

if TYPE_CHECKING:
    from newsletter.delivery.models import Mailing
    from newsletter.editorial.models import Newsletter

WORKERS, CHILDREN = 2, 2
STEP = 50
MEGABYTES = 100
"""The most that a process of a worker may need."""
TIMEOUT = 1800.0
"""Seconds that one mailing may take."""
Rows = list[tuple[str, object]]


def main() -> int:
    options = _parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    relay = [f"--defer={options.defer}", f"--pace={options.pace}"]
    settings = {
        "SEND_STEP": STEP,
        "SEND_BATCH_SIZE": min(1000, options.readers // 8),
        "SEND_RETRY_SECONDS": options.retry,
    }
    with chaos_environment(options.database, *relay, **settings) as environment:
        environment.passed = _run_scenarios(options, environment)
    return 0 if environment.passed else 1


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm", description=__doc__)
    parser.add_argument("--readers", type=int, default=100_000, help="default: 100000")
    parser.add_argument(
        "--database",
        choices=["postgresql", "sqlite"],
        default="postgresql",
        help="default: postgresql",
    )
    parser.add_argument(
        "--defer",
        type=float,
        default=0.01,
        help="share of RCPT commands answered with 451 (default: 0.01)",
    )
    parser.add_argument("--retry", type=int, default=3, help="SEND_RETRY_SECONDS (default: 3)")
    parser.add_argument(
        "--down", type=float, default=60.0, help="seconds without a relay (default: 60)"
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=0.0,
        help="seconds per message, so that a small mailing takes a while",
    )
    return parser.parse_args()


def _run_scenarios(options: argparse.Namespace, environment: ChaosEnvironment) -> bool:
    from tests.chaos import newsroom

    newsletter, _ = newsroom.create_newsroom()
    newsroom.add_readers(newsletter, range(options.readers))
    workers = [
        Worker(f"worker{number}", environment.folder, dict(os.environ)) for number in range(WORKERS)
    ]
    try:
        for worker in workers:
            worker.start()
        # A list, so that all three run even if the first fails.
        return all(
            [
                _deferred_recipients(options, environment, newsletter),
                _relay_outage(options, environment, newsletter),
                _memory_within_limit(workers),
            ]
        )
    finally:
        for worker in workers:
            worker.stop()


def _deferred_recipients(
    options: argparse.Namespace, environment: ChaosEnvironment, newsletter: Newsletter
) -> bool:
    """Send a mailing while some RCPT commands are answered with 451."""
    mailing = _start_mailing(newsletter, date(2017, 7, 31))
    seconds = _wait_for_finish(mailing)
    deferrals = Counter(environment.sink.recorded("D"))
    events: Rows = [
        ("seconds", round(seconds)),
        ("451 replies", sum(deferrals.values())),
        ("  to how many readers", len(deferrals)),
        ("  to how many more than once", sum(times > 1 for times in deferrals.values())),
        ("most retries", _most_retries(mailing)),
    ]
    title = f"{options.defer:.0%} of RCPT commands answered with 451, on {options.database}"
    return _compare(mailing, environment, title, events, cut_connections=0) and bool(deferrals)


def _relay_outage(
    options: argparse.Namespace, environment: ChaosEnvironment, newsletter: Newsletter
) -> bool:
    """Kill the relay after a third of a mailing, and start it again later."""
    environment.sink.record.unlink()
    environment.sink.stop(signal.SIGKILL)
    environment.sink.command.remove(f"--defer={options.defer}")
    environment.sink.start_and_wait()
    mailing = _start_mailing(newsletter, date(2017, 8, 7))
    began = time.monotonic()
    _tick_until(lambda: len(environment.sink.accepted()) * 3 >= options.readers)
    environment.sink.stop(signal.SIGKILL)
    accepted_before, closed_at = len(environment.sink.accepted()), time.monotonic()
    _tick_until(lambda: time.monotonic() - closed_at >= options.down)
    still_sending = not _is_finished(mailing)
    environment.sink.start_and_wait()
    _wait_for_finish(mailing)
    events: Rows = [
        ("seconds", round(time.monotonic() - began)),
        ("seconds without a relay", round(options.down)),
        ("accepted before the outage", accepted_before),
        ("finished during the outage", "no" if still_sending else "yes"),
        ("most retries", _most_retries(mailing)),
    ]
    title = f"A relay outage during the mailing, on {options.database}"
    connections = WORKERS * CHILDREN * CONNECTIONS
    return (
        _compare(mailing, environment, title, events, cut_connections=connections) and still_sending
    )


def _memory_within_limit(workers: list[Worker]) -> bool:
    """Return whether no process of the workers needed more than MEGABYTES."""
    peaks = sorted((peak for worker in workers for peak in worker.peak_memory()), reverse=True)
    print(f"Peak memory (MB) of each process of the workers: {', '.join(map(str, peaks))}")
    return len(peaks) > WORKERS * CHILDREN and peaks[0] <= MEGABYTES


def _compare(
    mailing: Mailing,
    environment: ChaosEnvironment,
    title: str,
    events: Rows,
    *,
    cut_connections: int,
) -> bool:
    from tests.chaos import comparison

    return comparison.compare_records(
        mailing,
        environment.sink,
        title=title,
        events=events,
        max_unknown=cut_connections,
        explanation="one for each connection that was lost",
        max_per_batch=2 * STEP + CONNECTIONS,
    )


def _start_mailing(newsletter: Newsletter, monday: date) -> Mailing:
    """Start a mailing of a new issue; the workers take its snapshot."""
    from newsletter.delivery.planning import start
    from tests.chaos import newsroom

    return start.send_now(newsroom.create_issue(newsletter, monday), by=None)


def _wait_for_finish(mailing: Mailing) -> float:
    """Wait until the mailing is finished; return how many seconds that took."""
    began = time.monotonic()
    _tick_until(lambda: _is_finished(mailing))
    return time.monotonic() - began


def _is_finished(mailing: Mailing) -> bool:
    mailing.refresh_from_db()
    return mailing.state == mailing.State.FINISHED


def _most_retries(mailing: Mailing) -> int:
    """Return how often the most deferred readers were tried again."""
    return max(mailing.batches.values_list("round", flat=True))


def _tick_until(condition: Callable[[], bool]) -> None:
    """Send a tick every second until the condition holds. Raises TimeoutError."""
    from newsletter.lib.queue import wake

    last_tick, end = 0.0, time.monotonic() + TIMEOUT
    while not condition():
        now = time.monotonic()
        if now > end:
            raise TimeoutError("the mailing doesn't finish")
        if now - last_tick >= 1:
            last_tick = now
            wake("delivery.tick")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.chaos.storm [--readers 100000] [--database postgresql|sqlite] [--down 60]`

Two send-outs by real workers to so many readers: one whose relay answers 451 to a part of RCPT,
at random, to some readers again and again; and one whose relay is killed in mid-send, its port
closed for so many seconds, then opened again. After each, the relay's own record is held against
the account. Exit status 1 where they do not agree, or where somebody is unknown whom nothing
explains.
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
TIMEOUT = 1800.0
"""Seconds for one send-out."""
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
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--defer", type=float, default=0.01, help="share of RCPT answered by 451")
    parser.add_argument("--retry", type=int, default=3, help="SEND_RETRY_SECONDS")
    parser.add_argument("--down", type=float, default=60.0, help="seconds without a relay")
    parser.add_argument(
        "--pace", type=float, default=0.0, help="seconds a message, so that a few take a while"
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
        # All, also where the first does not agree.
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
    """A part of RCPT is answered by 451."""
    mailing = _start_mailing(newsletter, date(2017, 7, 31))
    seconds = _wait_for_finish(mailing)
    put_off = Counter(environment.sink.recorded("D"))
    events: Rows = [
        ("seconds", round(seconds)),
        ("451 answered", sum(put_off.values())),
        ("  to so many readers", len(put_off)),
        ("  to more than once", sum(times > 1 for times in put_off.values())),
        ("rounds", _most_retries(mailing)),
    ]
    title = f"{options.defer:.0%} of RCPT answered by 451, on {options.database}"
    return _compare(mailing, environment, title, events, lines=0) and bool(put_off)


def _relay_outage(
    options: argparse.Namespace, environment: ChaosEnvironment, newsletter: Newsletter
) -> bool:
    """The relay is killed when a third is sent; its port is closed, and opened again."""
    environment.sink.record.unlink()
    environment.sink.stop(signal.SIGKILL)
    environment.sink.command.remove(f"--defer={options.defer}")
    environment.sink.start_and_wait()
    mailing = _start_mailing(newsletter, date(2017, 8, 7))
    began = time.monotonic()
    _tick_until(lambda: len(environment.sink.accepted()) * 3 >= options.readers)
    environment.sink.stop(signal.SIGKILL)
    at_end, closed = len(environment.sink.accepted()), time.monotonic()
    _tick_until(lambda: time.monotonic() - closed >= options.down)
    is_open = not _is_finished(mailing)
    environment.sink.start_and_wait()
    _wait_for_finish(mailing)
    events: Rows = [
        ("seconds", round(time.monotonic() - began)),
        ("seconds without a relay", round(options.down)),
        ("accepted before", at_end),
        ("finished meanwhile", "no" if is_open else "yes"),
        ("rounds", _most_retries(mailing)),
    ]
    title = f"The relay down in mid-send, on {options.database}"
    lines = WORKERS * CHILDREN * CONNECTIONS
    return _compare(mailing, environment, title, events, lines=lines) and is_open


def _memory_within_limit(workers: list[Worker]) -> bool:
    """Whether no process of the workers, which froze both and sent them, held more than it may."""
    most = sorted((held for worker in workers for held in worker.peak_memory()), reverse=True)
    print(f"MB at most, of each process of the workers: {', '.join(map(str, most))}")
    return len(most) > WORKERS * CHILDREN and most[0] <= MEGABYTES


def _compare(
    mailing: Mailing, environment: ChaosEnvironment, title: str, events: Rows, *, lines: int
) -> bool:
    from tests.chaos import comparison

    return comparison.compare_records(
        mailing,
        environment.sink,
        title=title,
        events=events,
        max_unknown=lines,
        explanation="one for each line that was cut",
        max_per_batch=2 * STEP + CONNECTIONS,
    )


def _start_mailing(newsletter: Newsletter, monday: date) -> Mailing:
    """The workers freeze it."""
    from newsletter.delivery.planning import start
    from tests.chaos import newsroom

    return start.send_now(newsroom.create_issue(newsletter, monday), by=None)


def _wait_for_finish(mailing: Mailing) -> float:
    """Seconds that it took."""
    began = time.monotonic()
    _tick_until(lambda: _is_finished(mailing))
    return time.monotonic() - began


def _is_finished(mailing: Mailing) -> bool:
    mailing.refresh_from_db()
    return mailing.state == mailing.State.FINISHED


def _most_retries(mailing: Mailing) -> int:
    """How often the reader who waited longest was tried again."""
    return max(mailing.batches.values_list("round", flat=True))


def _tick_until(condition: Callable[[], bool]) -> None:
    """Ticks each second, as beat does each minute."""
    from newsletter.lib.queue import wake

    ticked, end = 0.0, time.monotonic() + TIMEOUT
    while not condition():
        now = time.monotonic()
        if now > end:
            raise TimeoutError("the send-out does not come to an end")
        if now - ticked >= 1:
            ticked = now
            wake("delivery.tick", expires=5)
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.chaos [--kills 20] [--database sqlite|postgresql] [--seed N]`

Sends an issue by real workers while they, the broker, the database and the relay are killed,
stopped and restarted at random moments; then holds the relay's own record, written to disk before
each of its answers, against the account. Exit status 1 where they do not agree.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys

from tests.chaos.environment import WINDOW, ChaosEnvironment, chaos_environment
from tests.chaos.servers import CONNECTIONS

STEP = 20
LEASE = 5
PACE = 0.2
"""Seconds a message: else a send-out would be over before the chaos is."""


def main() -> int:
    options = _parse_options()
    # Also asked to end, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    relay = [f"--seed={options.seed}", f"--pace={PACE}"]
    if options.chunking:
        relay.append("--chunking")
    with chaos_environment(
        options.database,
        *relay,
        SEND_STEP=STEP,
        SEND_BATCH_SIZE=100,
        SEND_LEASE_SECONDS=LEASE,
        SEND_RETRY_SECONDS=1,
    ) as environment:
        environment.passed = _run(options, environment)
    return 0 if environment.passed else 1


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--kills", type=int, default=20, help="how often a worker is killed")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--chunking", action="store_true", help="the relay offers BDAT")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6))  # noqa: S311
    return parser.parse_args()


def _run(options: argparse.Namespace, environment: ChaosEnvironment) -> bool:
    from tests.chaos import comparison, faults, newsroom

    newsletter, issue = newsroom.create_newsroom()
    newsroom.add_readers(newsletter, range(200 * options.kills + 400))
    mailing = newsroom.prepare_mailing(issue)
    run = faults.ChaosRun(environment, mailing, seed=options.seed, lease=LEASE)
    try:
        run.run(options.kills)
    finally:
        run.stop()
    doubt = 2 * STEP + CONNECTIONS
    unanswered, cut = (len(environment.sink.recorded(event)) for event in "UC")
    behind = WINDOW - 1 if options.chunking else 0
    return comparison.compare_records(
        mailing,
        environment.sink,
        title=f"Chaos on {options.database}, {'BDAT' if options.chunking else 'DATA'},"
        f" seed {options.seed}",
        events=run.table(),
        max_unknown=run.batches_hit * doubt + unanswered + cut * behind,
        explanation="2 × STEP + connections of batches struck; unanswered, and behind",
        max_per_batch=doubt,
    )


if __name__ == "__main__":
    sys.exit(main())

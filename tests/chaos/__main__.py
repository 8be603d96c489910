"""Send an issue with real workers while random faults happen, and check that nobody is lost.

Workers, the broker, the database and the relay are killed, suspended and restarted at random
moments. The relay writes each message it accepts to disk before it replies; at the end its record
is compared with the recorded outcomes. The exit status is 1 if they disagree.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys

from tests.chaos.environment import WINDOW, ChaosEnvironment, chaos_environment
from tests.chaos.servers import CONNECTIONS

STEP = 20
CALL = 20
"""How many readers a call to the provider has: the size of a batch."""
LEASE = 5
PACE = 0.2
"""Seconds that the relay or provider takes per message, so that the mailing outlasts the faults."""


def main() -> int:
    options = _parse_options()
    # On SIGTERM, too, stop every process that was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    relay = [f"--seed={options.seed}", f"--pace={PACE}"]
    if options.chunking:
        relay.append("--chunking")
    with chaos_environment(
        options.database,
        *relay,
        provider=options.provider,
        SEND_STEP=STEP,
        SEND_BATCH_SIZE=CALL if options.provider else 100,
        SEND_LEASE_SECONDS=LEASE,
        SEND_RETRY_SECONDS=1,
    ) as environment:
        environment.passed = _run(options, environment)
    return 0 if environment.passed else 1


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="number of kills (default: 20)")
    parser.add_argument(
        "--database", choices=["sqlite", "postgresql"], default="sqlite", help="default: sqlite"
    )
    parser.add_argument("--provider", action="store_true", help="send through a provider's API")
    parser.add_argument("--chunking", action="store_true", help="let the relay offer BDAT")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.randrange(1, 10**6),  # noqa: S311
        help="repeat the faults of an earlier run (default: random)",
    )
    return parser.parse_args()


def _run(options: argparse.Namespace, environment: ChaosEnvironment) -> bool:
    from tests.chaos import comparison, faults, newsroom

    newsletter, issue = newsroom.create_newsroom()
    newsroom.add_readers(newsletter, range(200 * options.kills + 400))
    mailing = newsroom.prepare_mailing(issue)
    chaos_run = faults.ChaosRun(environment, mailing, seed=options.seed, lease=LEASE)
    try:
        chaos_run.run(options.kills)
    finally:
        chaos_run.stop()
    doubt = CALL if options.provider else 2 * STEP + CONNECTIONS
    unanswered, cut = (len(environment.sink.recorded(event)) for event in "UC")
    # With BDAT, messages behind the one whose connection is lost are in doubt, too.
    pipelined = WINDOW - 1 if options.chunking else 0
    # A silence lasts for two timeouts, and each of the four children has a call in flight.
    silences = chaos_run.fault_counts["relay silent"] if options.provider else 0
    timed_out = silences * 2 * 4 * CALL
    return comparison.compare_records(
        mailing,
        environment.sink,
        title=f"Chaos on {options.database}, {_way(options)}, seed {options.seed}",
        events=chaos_run.table(),
        max_unknown=chaos_run.batches_hit * doubt + unanswered + cut * pipelined + timed_out,
        explanation="the call in flight per batch hit; unanswered; two rounds in each silence"
        if options.provider
        else "2 × STEP + connections per batch hit; unanswered; pipelined behind them",
        max_per_batch=doubt,
    )


def _way(options: argparse.Namespace) -> str:
    if options.provider:
        return "a provider's API"
    return "BDAT" if options.chunking else "DATA"


if __name__ == "__main__":
    sys.exit(main())

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

from tests.chaos.arena import WINDOW, Arena, arena
from tests.chaos.servers import CONNECTIONS

STEP = 20
LEASE = 5
PACE = 0.2
"""Seconds a message: else a send-out would be over before the chaos is."""


def main() -> int:
    options = _options()
    # Also asked to end, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    relay = [f"--seed={options.seed}", f"--pace={PACE}"]
    if options.chunking:
        relay.append("--chunking")
    with arena(
        options.database,
        *relay,
        SEND_STEP=STEP,
        SEND_BATCH_SIZE=100,
        SEND_LEASE_SECONDS=LEASE,
        SEND_RETRY_SECONDS=1,
    ) as found:
        found.agrees = _unleash(options, found)
    return 0 if found.agrees else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--kills", type=int, default=20, help="how often a worker is killed")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--chunking", action="store_true", help="the relay offers BDAT")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6))  # noqa: S311
    return parser.parse_args()


def _unleash(options: argparse.Namespace, found: Arena) -> bool:
    from tests.chaos import chaos, newsroom, verdict

    email, issue = newsroom.found()
    newsroom.add_readers(email, range(200 * options.kills + 400))
    mailing = newsroom.send(issue)
    party = chaos.Chaos(found, mailing, seed=options.seed, lease=LEASE)
    try:
        party.run(options.kills)
    finally:
        party.end()
    doubt = 2 * STEP + CONNECTIONS
    unanswered, cut = (len(found.sink.heard(event)) for event in "UC")
    behind = WINDOW - 1 if options.chunking else 0
    return verdict.judge(
        mailing,
        found.sink,
        title=f"Chaos on {options.database}, {'BDAT' if options.chunking else 'DATA'},"
        f" seed {options.seed}",
        happened=party.table(),
        bound=party.open_batches * doubt + unanswered + cut * behind,
        bound_words="2 × STEP + connections of batches struck; unanswered, and behind",
        of_a_batch=doubt,
    )


if __name__ == "__main__":
    sys.exit(main())

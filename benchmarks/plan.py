"""How much to measure: in two minutes (QUICK=1), in full, or only for CI's gates (GATE=1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Counts of messages, and `rounds`: how often the contenders take turns.

    `sizes` are separate mailings, which show that time is linear and memory flat. `delayed`
    messages are sent with each of `delays` (milliseconds a reply).
    """

    rounds: int
    naive: int
    source: int
    blast: int
    ours: int
    sizes: tuple[int, ...]
    delayed: int
    delays: tuple[int, ...] = (20, 50)
    provider: int = 5_000
    provider_single: int = 200
    with_report: bool = True
    """Whether to measure TLS, delayed replies with BDAT and stages too, and write the report."""


QUICK = Plan(
    rounds=3,
    naive=300,
    source=60_000,
    blast=100_000,
    ours=20_000,
    sizes=(10_000, 100_000),
    delayed=20_000,
)
FULL = Plan(
    rounds=5,
    naive=1_000,
    source=200_000,
    blast=300_000,
    ours=100_000,
    sizes=(10_000, 100_000, 1_000_000),
    delayed=50_000,
)
GATE = Plan(
    rounds=3,
    naive=200,
    source=40_000,
    blast=60_000,
    ours=20_000,
    sizes=(),
    delayed=20_000,
    delays=(50,),
    provider_single=100,
    with_report=False,
)

WORKER_CONNECTIONS = 8
"""Connections of each worker, without delays."""
DELAY_CONNECTIONS = 100
"""Connections of each worker with delayed replies."""
BDAT_WINDOW = 16

"""The measured rate, and how many readers a permission covers."""

from __future__ import annotations

import pytest

from newsletter.transport.pace.measuring import Meter, permission_step


def test_the_rate_is_an_average_over_the_last_seconds() -> None:
    meter = Meter()
    for tenth in range(100):
        meter.add(5 if tenth < 50 else 2, 1_000 + tenth / 10)
    assert meter.rate(1_010) == pytest.approx(20, rel=0.1)
    assert meter.in_last_second(1_009.99) == pytest.approx(20, rel=0.1)
    assert meter.total == 350


def test_nothing_measured_lately_is_no_rate() -> None:
    meter = Meter()
    assert meter.rate(1_000) == 0
    meter.add(100, 1_000)
    assert meter.rate(1_100) == 0


def test_a_burst_says_nothing_about_a_whole_second() -> None:
    meter = Meter()
    for each in range(14):
        meter.add(1, 1_000.001 * (1 + each / 10**6))
    assert meter.in_last_second(1_000.02) == 14
    assert meter.rate(1_000.02) == 14


@pytest.mark.parametrize(
    ("rate", "latency", "connections", "step"),
    [
        (0, 0.002, 8, 8),  # nothing measured yet
        (1, 0.005, 8, 8),  # a slow relay
        (1, 0.005, 1, 1),
        (120, 0.004, 8, 30),
        (5_000, 0.004, 8, 50),
        (15_000, 0.004, 8, 50),
        (15_000, 0.004, 100, 50),  # SEND_STEP is the most
    ],
)
def test_the_step_follows_the_rate(
    rate: float, latency: float, connections: int, step: int
) -> None:
    assert permission_step(rate, latency, connections, 50) == step


def test_small_steps_do_not_keep_the_rate_low() -> None:
    """Where the step is the limit, the rate is one step in each latency: the next is the most."""
    latency, first = 0.004, permission_step(0, 0.004, 8, 50)
    assert first == 8
    assert permission_step(first / latency, latency, 8, 50) == 50


def test_a_provider_has_its_window_in_flight() -> None:
    assert permission_step(9_000, 0.01, 1, 50, window=1_000) == 1_000

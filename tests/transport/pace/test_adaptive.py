"""D9: the rate that is learned from refusals about speed."""

from __future__ import annotations

import pytest

from newsletter.transport.pace import Pace
from newsletter.transport.pace.adaptive import MAX_PAUSE, AdaptiveRate
from tests.transport.pace.clock import Clock, Limiter, busiest, hand_over


def refused_at(measured: float, now: float = 100.0) -> AdaptiveRate:
    adaptive = AdaptiveRate()
    assert adaptive.refused(now, measured=measured)
    return adaptive


def test_d9_the_first_refusal_halves_the_measured_rate_and_pauses() -> None:
    adaptive = refused_at(14)
    assert (adaptive.limit, adaptive.resume_at) == (7, 101)


def test_refusals_of_messages_in_flight_together_count_once() -> None:
    adaptive = refused_at(14)
    assert not adaptive.refused(100.2, measured=14)
    assert adaptive.limit == 7


def test_retry_after_is_obeyed_and_a_longer_one_counts() -> None:
    adaptive = AdaptiveRate()
    adaptive.refused(100, measured=2, retry_after=3)
    adaptive.refused(100.1, measured=2, retry_after=30)
    assert adaptive.resume_at == pytest.approx(130.1)


def test_the_pause_doubles_while_nothing_is_accepted() -> None:
    adaptive = refused_at(14)
    pauses, now = [], 101.0
    for _ in range(6):
        adaptive.refused(now, measured=0)
        pauses.append(adaptive.resume_at - now)
        now = adaptive.resume_at
    assert pauses == [2, 4, 8, MAX_PAUSE, MAX_PAUSE, MAX_PAUSE]
    adaptive.accepted()
    adaptive.refused(now, measured=14)
    assert adaptive.resume_at - now == 1


def test_a_relay_that_accepted_nothing_yet_gets_a_pause_but_no_limit() -> None:
    adaptive = refused_at(0)
    assert (adaptive.limit, adaptive.resume_at) == (0, 101)


def test_it_grows_quickly_below_the_ceiling_and_slowly_near_it() -> None:
    adaptive = refused_at(100)
    seconds: dict[int, float] = {}
    for tenth in range(200):
        adaptive.grow(101 + tenth / 10)
        for part in (90, 95, 100):
            if adaptive.limit >= part:
                seconds.setdefault(part, tenth / 10)
    assert seconds[90] <= 2
    assert seconds[100] - seconds[95] >= 2


def test_a_limit_that_never_applies_again_is_dropped() -> None:
    adaptive = refused_at(100)
    for now in range(101, 200):
        adaptive.grow(now)
    assert adaptive.limit == 0


def test_a_pause_in_sending_does_not_raise_the_limit() -> None:
    adaptive = refused_at(100)
    adaptive.grow(101)
    adaptive.grow(101 + 3_600)
    assert adaptive.limit == pytest.approx(75)


def test_d9_a_relays_limit_is_found_and_kept_with_few_refusals() -> None:
    """Criterion: 400 readers at 14 a second within 1.3 × 29 s."""
    clock = Clock()
    limiter = Limiter(clock, 14)
    assert hand_over(Pace(clock=clock), clock, limiter, 400) < 1.3 * 29
    assert len(limiter.refused) <= 8
    assert busiest(limiter.accepted, 1) == 14


def test_a_limit_per_minute_is_used_up_without_constant_refusals() -> None:
    clock = Clock()
    limiter = Limiter(clock, 100, 60)
    assert hand_over(Pace(clock=clock), clock, limiter, 400) < 300
    assert len(limiter.refused) <= 60


def test_what_another_process_learned_is_taken_over() -> None:
    adaptive = AdaptiveRate()
    adaptive.adopt(50, limit=7, ceiling=14, pause=2)
    assert (adaptive.limit, adaptive.resume_at) == (7, 52)
    # The refusals of this process's own messages in flight don't halve it again.
    assert not adaptive.refused(50.1, measured=14)

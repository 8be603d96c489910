"""D9: what a process knows about how many connections a relay allows, and how others adopt it."""

from __future__ import annotations

from newsletter.transport.smtp.connection_limit import (
    HOLD_SECONDS,
    RECENT_SECONDS,
    ConnectionLimit,
    LearnedLimit,
)


def test_all_configured_connections_are_allowed_until_one_is_refused() -> None:
    assert ConnectionLimit(8).allowed(0) == 8


def test_a_refusal_lowers_the_limit_to_the_connections_that_are_open() -> None:
    limit = ConnectionLimit(8)
    limit.lowered(4, 100)
    limit.lowered(3, 100)
    assert limit.allowed(100 + HOLD_SECONDS - 1) == 3


def test_after_a_while_one_more_is_tried_at_a_time() -> None:
    limit = ConnectionLimit(8)
    limit.lowered(3, 0)
    now = HOLD_SECONDS
    assert limit.allowed(now) == 4
    limit.accepted(4)
    assert limit.allowed(now) == 5
    limit.lowered(4, now)
    assert limit.allowed(now) == 4
    assert limit.allowed(2 * HOLD_SECONDS) == 5


def test_once_all_are_accepted_the_limit_is_forgotten() -> None:
    limit = ConnectionLimit(4)
    limit.lowered(3, 0)
    limit.accepted(4)
    assert limit.allowed(1) == 4
    assert limit.learned(1).lowered_ago is None


def test_a_refusal_while_none_is_open_says_nothing_about_how_many_there_may_be() -> None:
    limit = ConnectionLimit(8)
    limit.lowered(0, 100)
    limit.accepted(1)
    assert limit.allowed(100) == 2


def test_a_relay_counts_as_busy_for_a_while_after_it_served_us() -> None:
    limit = ConnectionLimit(8)
    assert not limit.served_recently(0)
    limit.served_at = 50
    assert limit.served_recently(50 + RECENT_SECONDS - 1)
    assert not limit.served_recently(50 + RECENT_SECONDS)


def test_another_process_adopts_what_one_has_learned() -> None:
    """E8: only ages are exchanged, because clocks differ."""
    limit, other = ConnectionLimit(8), ConnectionLimit(8)
    limit.lowered(3, 1000)
    limit.served_at = 1009
    learned = limit.learned(1010)
    assert learned == LearnedLimit(3, 10, 1)
    other.adopt(learned, 50)
    assert other.allowed(50) == 3
    assert other.served_recently(50)
    assert other.allowed(40 + HOLD_SECONDS) == 4


def test_a_higher_or_an_old_limit_is_not_adopted() -> None:
    limit = ConnectionLimit(8)
    limit.adopt(LearnedLimit(3, HOLD_SECONDS, None), 5000)
    assert limit.allowed(5000) == 8
    limit.lowered(2, 5000)
    limit.adopt(LearnedLimit(5, 1, None), 5000)
    assert limit.allowed(5000) == 2

"""What an hour, a day or a warm-up still allows."""

from __future__ import annotations

import pytest

from newsletter.transport.pace.allowance import SLOT_SECONDS, Share, Usage, take
from newsletter.transport.pace.limits import Limits, Rate, WarmUp

NOON = 1_764_158_400.0
"""26 November 2025, 12:00 UTC."""
HOUR, DAY = 3_600, 86_400
HOURLY = Limits(rates=(Rate(1_000, HOUR),))
DAILY = Limits(rates=(Rate(1_000, DAY),))


def use_up(usage: Usage, limits: Limits, now: float, *, urgent: bool = False) -> tuple[int, Share]:
    """Take shares until none is left; return how many there were, and the last answer."""
    taken = 0
    while True:
        share = take(usage, limits, now, urgent=urgent)
        if not share.size:
            return taken, share
        taken += share.size


def test_bulk_leaves_a_tenth_to_single_emails() -> None:
    usage = Usage()
    taken, share = use_up(usage, DAILY, NOON)
    assert (taken, share.limit) == (900, "1000/d")
    assert use_up(usage, DAILY, NOON, urgent=True)[0] == 100


@pytest.mark.parametrize(("count", "bulk"), [(1, 1), (2, 1), (9, 8), (10, 9), (20, 18)])
def test_at_least_one_is_left_unless_there_is_only_one(count: int, bulk: int) -> None:
    assert use_up(Usage(), Limits(rates=(Rate(count, DAY),)), NOON)[0] == bulk


def test_shares_are_small_and_smaller_near_the_end() -> None:
    usage, sizes = Usage(), []
    while size := take(usage, DAILY, NOON, urgent=False).size:
        sizes.append(size)
    assert sizes[0] == 50
    assert sizes[-1] == 1
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(("limits", "seconds"), [(HOURLY, HOUR), (DAILY, DAY)])
def test_there_is_room_again_when_it_says_so_and_not_before(limits: Limits, seconds: int) -> None:
    usage = Usage()
    _, share = use_up(usage, limits, NOON)
    assert seconds <= share.wait <= seconds + SLOT_SECONDS
    assert not take(usage, limits, NOON + share.wait - 1, urgent=False).size
    assert take(usage, limits, NOON + share.wait, urgent=False).size


def test_no_hour_sees_more_than_its_limit() -> None:
    usage, handed_over = Usage(), []
    for minute in range(0, 300):
        now = NOON + minute * 60
        for _ in range(3):
            handed_over += [now] * take(usage, HOURLY, now, urgent=True).size
    for start in set(handed_over):
        assert sum(start <= each < start + HOUR for each in handed_over) <= 1_000
    assert len(handed_over) >= 4_000


def test_a_warm_up_counts_days_with_sending_only() -> None:
    usage = Usage()
    limits = Limits(warm_up=WarmUp(100, 2))
    taken, share = use_up(usage, limits, NOON, urgent=True)
    assert (taken, share.limit, share.wait) == (100, "100/d (warm-up)", DAY / 2)
    assert use_up(usage, limits, NOON + DAY, urgent=True)[0] == 200
    assert use_up(usage, limits, NOON + 9 * DAY, urgent=True)[0] == 400


def test_a_warm_up_ends_at_the_other_limits() -> None:
    usage = Usage(days=50, day=int(NOON / DAY) - 1)
    limits = Limits(rates=(Rate(1_000, DAY),), warm_up=WarmUp(500, 1.5))
    taken, share = use_up(usage, limits, NOON, urgent=True)
    assert (taken, share.limit) == (1_000, "1000/d")


def test_only_a_days_slots_are_kept() -> None:
    usage = Usage()
    for hour in range(100):
        usage.add(1, NOON + hour * HOUR)
    assert len(usage.slots) <= 26
    assert usage.today(NOON + 99 * HOUR) == 16
    assert usage.days == 4

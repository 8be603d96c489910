"""When bounces suppress a reader (D2). Pure."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from newsletter.delivery.feedback.bounces import Bounce, bounced_too_often, suppresses_at_once
from newsletter.transport.outcomes import Fault

START = date(2017, 7, 3)


def weekly(kind: str, *weeks: int) -> list[Bounce]:
    """Return a bounce of each of these weeks' issues."""
    return [Bounce(kind, week + 1, START + timedelta(weeks=week)) for week in weeks]


@pytest.mark.parametrize(
    ("kind", "fault", "status", "expected"),
    [
        ("bounced", Fault.READER, "5.1.1", True),
        ("bounced", Fault.READER, "5.1.10", True),
        ("bounced", Fault.READER, "", True),
        ("bounced", Fault.READER, "5.2.1", False),
        ("bounced", Fault.READER, "5.4.4", False),
        ("bounced", Fault.READER, "5.1.8", False),
        ("bounced", Fault.SENDER, "5.7.1", False),
        ("bounced", Fault.SENDER, "", False),
        ("bounced", Fault.MESSAGE, "", False),
        ("deferred", Fault.READER, "4.2.2", False),
        ("deferred", Fault.READER, "", False),
        ("complained", Fault.READER, "", True),
        ("rejected", Fault.READER, "", True),
        ("rejected", Fault.SENDER, "", False),
    ],
)
def test_d2_d3_d5_what_suppresses_at_once(
    kind: str, fault: Fault, status: str, *, expected: bool
) -> None:
    assert suppresses_at_once(kind, fault, status) is expected


def test_d2_another_hard_bounce_suppresses_after_three_days() -> None:
    assert not bounced_too_often(weekly("bounced", 0, 1), delivered=[])
    assert bounced_too_often(weekly("bounced", 0, 1, 2), delivered=[])
    assert bounced_too_often(weekly("bounced", 0, 1, 3), delivered=[3]), "of any three"


def test_d2_one_day_counts_once() -> None:
    same_day = [Bounce("bounced", mailing, START) for mailing in (1, 2, 3, 4)]
    assert not bounced_too_often(same_day, delivered=[])
    soft = [*weekly("deferred", 0, 1, 2), *weekly("deferred", 2)]
    assert not bounced_too_often([*soft, Bounce("deferred", 9, soft[-1].on)], delivered=[])


def test_d2_soft_bounces_suppress_after_four_issues_in_28_days() -> None:
    assert bounced_too_often(weekly("deferred", 0, 1, 2, 4), delivered=[])
    assert not bounced_too_often(weekly("deferred", 0, 1, 2, 3), delivered=[]), "21 days"
    assert not bounced_too_often(weekly("deferred", 0, 4, 8), delivered=[]), "three issues"
    assert bounced_too_often(weekly("deferred", 0, 1, 2, 3, 4), delivered=[])


def test_d2_a_delivery_resets_the_count() -> None:
    soft = weekly("deferred", 0, 1, 3, 4, 5)
    assert bounced_too_often(soft, delivered=[])
    assert not bounced_too_often(soft, delivered=[3])
    assert not bounced_too_often(soft, delivered=[7])


def test_d2_an_issue_that_arrived_in_the_end_does_not_count() -> None:
    assert not bounced_too_often(weekly("deferred", 0, 1, 2, 4), delivered=[5])
    assert not bounced_too_often(weekly("deferred", 0, 1, 2, 4), delivered=[1])


def test_d2_the_retries_of_an_issue_count_once() -> None:
    retries = [Bounce("deferred", 1, START + timedelta(days=day)) for day in range(0, 40, 8)]
    assert not bounced_too_often(retries, delivered=[])


def test_closed_mailings_come_first() -> None:
    """After retention, a bounce has no mailing."""
    closed = [Bounce("deferred", None, bounce.on) for bounce in weekly("deferred", 0, 1)]
    assert bounced_too_often([*weekly("deferred", 3, 4), *closed], delivered=[])
    assert not bounced_too_often([*weekly("deferred", 3, 4), *closed], delivered=[2])


def test_the_order_of_events_does_not_matter() -> None:
    events = [*weekly("deferred", 0, 1, 2, 4), *weekly("deferred", 1), *weekly("bounced", 3)]
    shuffled = list(events)
    for seed in range(20):
        Random(seed).shuffle(shuffled)  # noqa: S311
        assert bounced_too_often(shuffled, delivered=[]) == bounced_too_often(events, delivered=[])

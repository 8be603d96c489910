"""When the email to a reader with a preferred hour is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.planning.snapshot import due_at

ZONES = ["Europe/Minsk", "Europe/Warsaw", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata"]
QUARTER = timedelta(minutes=15)


def utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "due"),
    [
        (None, utc(2017, 7, 31, 6, 0, 20)),
        (9, utc(2017, 7, 31, 6, 0, 20)),  # it is that hour now
        (10, utc(2017, 7, 31, 7)),
        (23, utc(2017, 7, 31, 20)),
        (0, utc(2017, 7, 31, 21)),
        (8, utc(2017, 8, 1, 5)),
    ],
)
def test_the_hour_is_in_the_newsletters_time_zone(hour: int | None, due: datetime) -> None:
    assert due_at(hour, zone="Europe/Minsk", since=utc(2017, 7, 31, 6, 0, 20)) == due


@pytest.mark.parametrize(
    ("hour", "since", "due"),
    [
        # On 29 March 2026 Warsaw goes from 02:00 to 03:00, at 01:00 UTC.
        (2, utc(2026, 3, 28, 20), utc(2026, 3, 29, 1)),
        (3, utc(2026, 3, 28, 20), utc(2026, 3, 29, 1)),
        (2, utc(2026, 3, 29, 2), utc(2026, 3, 30, 0)),
        (9, utc(2026, 3, 28, 9), utc(2026, 3, 29, 7)),
        # On 25 October 2026 it has 02:00 to 03:00 twice, from 00:00 and from 01:00 UTC.
        (2, utc(2026, 10, 24, 20), utc(2026, 10, 25, 0)),
        (2, utc(2026, 10, 25, 1, 30), utc(2026, 10, 25, 1, 30)),
        (3, utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 2)),
        (9, utc(2026, 10, 24, 8), utc(2026, 10, 25, 8)),
    ],
)
def test_e2_on_days_when_the_clock_changes(hour: int, since: datetime, due: datetime) -> None:
    assert due_at(hour, zone="Europe/Warsaw", since=since) == due


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2050, 1, 1)),
    st.integers(0, 23),
    st.sampled_from(ZONES),
)
def test_it_is_the_first_moment_of_that_hour(at: datetime, hour: int, zone: str) -> None:
    since = at.replace(tzinfo=UTC, second=0, microsecond=0, minute=at.minute // 15 * 15)
    due = due_at(hour, zone=zone, since=since)
    assert since <= due <= since + timedelta(hours=24)
    # Clocks change by quarters of an hour and more, so nothing is missed between two of them.
    quarters = range(int((due - since) / QUARTER))
    hours = [(since + n * QUARTER).astimezone(ZoneInfo(zone)).hour for n in quarters]
    assert hour not in hours
    local = due.astimezone(ZoneInfo(zone))
    around = [(due + n * QUARTER).astimezone(ZoneInfo(zone)) for n in range(-100, 101)]
    exists = any(each.date() == local.date() and each.hour == hour for each in around)
    assert (local.hour == hour) is exists, "unless the clock skips it"

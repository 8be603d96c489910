"""When a newsletter is due (E1–E3), as pure decisions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editorial.schedule import (
    Decision,
    Month,
    RoundUp,
    Rule,
    decide,
    latest_occurrence,
    latest_round_up,
    next_occurrence,
    next_round_up,
    occurrence_in_week_of,
)

MINSK = Rule(weekday=1, time=time(9, 0), zone="Europe/Minsk")
WARSAW = Rule(weekday=6, time=time(2, 30), zone="Europe/Warsaw")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_monday_22_may_2017_sends_15_to_21_may() -> None:
    """E2: an issue goes out in the week after."""
    rule = Rule(weekday=0, time=time(9, 0), zone="Europe/Minsk")
    occurrence = latest_occurrence(rule, utc(2017, 5, 22, 6, 0))
    assert occurrence.week == date(2017, 5, 15)
    assert occurrence.at == utc(2017, 5, 22, 6, 0)


def test_a_minute_earlier_the_previous_week_is_due() -> None:
    assert latest_occurrence(MINSK, utc(2017, 5, 23, 5, 59)).week == date(2017, 5, 8)
    assert latest_occurrence(MINSK, utc(2017, 5, 23, 6, 0)).week == date(2017, 5, 15)


def test_the_current_week_can_be_sent() -> None:
    rule = Rule(weekday=4, time=time(18, 0), zone="Europe/Vilnius", sends_ended_week=False)
    assert latest_occurrence(rule, utc(2017, 7, 28, 16, 0)).week == date(2017, 7, 24)


def test_e2_a_time_that_march_skips_moves_an_hour_later() -> None:
    """On 29 March 2026 Warsaw goes from 02:00 to 03:00."""
    assert occurrence_in_week_of(WARSAW, date(2026, 3, 29)).at == utc(2026, 3, 29, 1, 30)


def test_e2_a_time_that_october_repeats_is_used_once() -> None:
    """On 25 October 2026 Warsaw has 02:30 twice; the first one counts."""
    first = occurrence_in_week_of(WARSAW, date(2026, 10, 25)).at
    assert first == utc(2026, 10, 25, 0, 30)
    assert latest_occurrence(WARSAW, utc(2026, 10, 25, 1, 30)).at == first
    assert next_occurrence(WARSAW, utc(2026, 10, 25, 1, 30)).at == utc(2026, 11, 1, 1, 30)


@pytest.mark.parametrize(
    ("week", "hours"),
    [(date(2026, 3, 23), 167), (date(2026, 10, 19), 169), (date(2026, 6, 1), 168)],
)
def test_e2_weeks_with_a_clock_change_have_other_lengths(week: date, hours: int) -> None:
    rule = Rule(weekday=0, time=time(9, 0), zone="Europe/Warsaw")
    length = (
        occurrence_in_week_of(rule, week + timedelta(days=7)).at
        - occurrence_in_week_of(rule, week).at
    )
    assert length == timedelta(hours=hours)


def test_e3_after_a_month_of_downtime_only_the_latest_week_is_due() -> None:
    occurrence = latest_occurrence(MINSK, utc(2017, 6, 20, 7, 0))
    assert occurrence.week == date(2017, 6, 12)


@pytest.mark.parametrize(
    ("hours_late", "decision"),
    [(0, Decision.SEND), (11, Decision.SEND), (12, Decision.HOLD_LATE), (100, Decision.HOLD_LATE)],
)
def test_e3_a_late_issue_is_sent_or_held(hours_late: int, decision: Decision) -> None:
    occurrence = latest_occurrence(MINSK, utc(2017, 5, 23, 6, 0))
    now = occurrence.at + timedelta(hours=hours_late)
    since = occurrence.at - timedelta(days=30)
    assert decide(occurrence, now, since=since, done=False, late_hours=12) is decision


def test_issues_due_before_the_schedule_was_set_are_not_sent() -> None:
    occurrence = latest_occurrence(MINSK, utc(2017, 5, 23, 8, 0))
    now = utc(2017, 5, 23, 8, 0)
    assert decide(occurrence, now, since=now, done=False, late_hours=12) is Decision.WAIT
    assert decide(occurrence, now, since=None, done=False, late_hours=12) is Decision.WAIT


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2050, 1, 1)),
    st.integers(0, 6),
    st.times(),
    st.sampled_from(["Europe/Minsk", "Europe/Warsaw", "America/St_Johns", "Pacific/Apia"]),
)
def test_the_latest_occurrence_is_at_most_a_week_ago(
    now: datetime, weekday: int, at: time, zone: str
) -> None:
    rule = Rule(weekday, at.replace(microsecond=0), zone)
    here = now.replace(tzinfo=UTC)
    assert latest_occurrence(rule, here).at <= here < next_occurrence(rule, here).at
    # Apia skipped a whole day in December 2011.
    assert here - latest_occurrence(rule, here).at <= timedelta(days=8, hours=1)


# --- Months -----------------------------------------------------------------------------------
MONDAY = Rule(weekday=0, time=time(9, 0), zone="Europe/Minsk")
FRIDAY = Rule(weekday=4, time=time(18, 0), zone="Europe/Vilnius", sends_ended_week=False)
JULY = Month(2017, 7)


@pytest.mark.parametrize(
    ("week", "month"),
    [
        (date(2017, 6, 26), Month(2017, 6)),  # ends on 2 July, but its Thursday is in June
        (date(2017, 7, 3), JULY),
        (date(2017, 7, 24), JULY),
        (date(2017, 7, 31), Month(2017, 8)),
        (date(2018, 12, 31), Month(2019, 1)),
        (date(2017, 7, 30), JULY),  # any day of the week
    ],
)
def test_a_week_belongs_to_the_month_of_its_thursday(week: date, month: Month) -> None:
    assert Month.of(week) == month


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_each_week_is_in_exactly_one_month(day: date) -> None:
    month = Month.of(day)
    assert month.starts_on <= day < month.next.starts_on
    assert month.starts_on.weekday() == 0
    assert month.next.previous == month
    assert Month.parse(month.key) == month
    assert month < month.next


@pytest.mark.parametrize(
    "key",
    ["", "2017", "2017-7", "2017-13", "201707", "0001-01", "9999-12", "..", "٢"],
)
def test_an_invalid_month_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Month.parse(key)


def test_a_round_up_goes_out_with_the_next_months_first_issue() -> None:
    """July's last issue, 24–30 July, goes out on the 31st; August's first on the 7th."""
    before, at = utc(2017, 8, 7, 5, 59), utc(2017, 8, 7, 6, 0)
    assert latest_round_up(MONDAY, before).month == Month(2017, 6)
    assert latest_round_up(MONDAY, at) == RoundUp(at, JULY)
    assert next_round_up(MONDAY, before) == RoundUp(at, JULY)
    assert latest_round_up(MONDAY, utc(2017, 9, 1, 0, 0)) == RoundUp(at, JULY)


def test_the_same_holds_for_newsletters_that_send_the_current_week() -> None:
    """July's last issue goes out on Friday the 28th, August's first on 4 August."""
    assert latest_round_up(FRIDAY, utc(2017, 8, 5, 0, 0)) == RoundUp(utc(2017, 8, 4, 15, 0), JULY)


def test_e3_a_round_up_is_late_after_downtime() -> None:
    due = latest_round_up(MONDAY, utc(2017, 8, 30, 6, 0))
    since = utc(2017, 1, 1)
    late = decide(due, utc(2017, 8, 30, 6, 0), since=since, done=False, late_hours=12)
    assert late is Decision.HOLD_LATE
    in_time = decide(due, utc(2017, 8, 7, 17, 59), since=since, done=False, late_hours=12)
    assert in_time is Decision.SEND


@given(
    st.datetimes(min_value=datetime(2012, 1, 1), max_value=datetime(2050, 1, 1)),
    st.integers(0, 6),
    st.times(),
    st.booleans(),
    st.sampled_from(["Europe/Minsk", "Europe/Warsaw", "America/St_Johns"]),
)
def test_each_month_has_one_round_up_after_all_its_issues(
    now: datetime,
    weekday: int,
    at: time,
    ended: bool,  # noqa: FBT001
    zone: str,
) -> None:
    rule = Rule(weekday, at.replace(microsecond=0), zone, sends_ended_week=ended)
    here = now.replace(tzinfo=UTC)
    last, coming = latest_round_up(rule, here), next_round_up(rule, here)
    assert last.at <= here < coming.at
    assert coming.month == last.month.next
    # The round-up goes out together with the first week of the next month.
    assert latest_occurrence(rule, last.at).week == last.month.next.starts_on

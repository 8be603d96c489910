"""F2, F3: date ranges and times in each language."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.utils import formats, translation
from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest.dates import date_and_time, week_range

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("language", "start", "end", "expected"),
    [
        ("en", date(2017, 7, 24), date(2017, 7, 30), "July 24 – July 30, 2017"),
        ("en", date(2017, 7, 31), date(2017, 8, 6), "July 31 – August 6, 2017"),
        ("en", date(2016, 12, 26), date(2017, 1, 1), "December 26, 2016 – January 1, 2017"),
        ("en", date(2017, 7, 24), date(2017, 7, 24), "July 24, 2017"),
        ("be", date(2017, 7, 24), date(2017, 7, 30), "24–30 ліпеня 2017"),
        ("be", date(2017, 7, 31), date(2017, 8, 6), "31 ліпеня – 6 жніўня 2017"),
        ("be", date(2016, 12, 26), date(2017, 1, 1), "26 снежня 2016 – 1 студзеня 2017"),
        ("be", date(2017, 7, 24), date(2017, 7, 24), "24 ліпеня 2017"),
        ("ru", date(2017, 7, 24), date(2017, 7, 30), "24–30 июля 2017"),
        ("ru", date(2017, 7, 31), date(2017, 8, 6), "31 июля – 6 августа 2017"),
        ("ru", date(2016, 12, 26), date(2017, 1, 1), "26 декабря 2016 – 1 января 2017"),
        ("ru", date(2017, 7, 24), date(2017, 7, 24), "24 июля 2017"),
        ("ka", date(2017, 7, 31), date(2017, 8, 6), "31 ივლისი – 06 აგვისტო 2017"),
        ("ar", date(2017, 7, 24), date(2017, 7, 30), "24–30 يوليو 2017"),
    ],
)
def test_a_week_of_another_year_names_its_year(
    language: str, start: date, end: date, expected: str
) -> None:
    assert week_range(start, end, language, today=TODAY) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "November 11 – November 17"),
        ("be", "11–17 лістапада"),
        ("ru", "11–17 ноября"),
    ],
)
def test_the_current_year_is_omitted(language: str, expected: str) -> None:
    start, end = date(2019, 11, 11), date(2019, 11, 17)
    assert week_range(start, end, language, today=date(2019, 11, 18)) == expected


def test_a_single_day_of_the_current_year_is_short() -> None:
    day = date(2019, 11, 11)
    assert week_range(day, day, "be", today=day) == "11 лістапада"
    assert week_range(day, day, "en", today=day) == "November 11"


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize("today", [date(2018, 12, 31), date(2019, 1, 7)])
def test_a_week_across_new_year_names_both_years(language: str, today: date) -> None:
    week = week_range(date(2018, 12, 31), date(2019, 1, 6), language, today=today)
    assert "2018" in week
    assert "2019" in week


@given(
    start=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    days=st.integers(0, 400),
    language=st.sampled_from(["en", "be", "ru", "ka", "ar", "zh-hans", "xx"]),
)
def test_every_range_names_its_years_in_any_language(start: date, days: int, language: str) -> None:
    end = start + timedelta(days)
    week = week_range(start, end, language, today=date(1999, 1, 1))
    assert {str(start.year), str(end.year)} <= {
        number.lstrip("0") for number in "".join(c if c.isdecimal() else " " for c in week).split()
    }
    assert "MMM" not in week


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "May 22, 2017 13:45"),
        ("be", "22 мая 2017\xa0г., 13:45"),
        ("ru", "22 мая 2017\xa0г., 13:45"),
    ],
)
def test_a_time_is_shown_in_its_own_time_zone(language: str, expected: str) -> None:
    minsk = timezone(timedelta(hours=3))
    assert date_and_time(datetime(2017, 5, 22, 13, 45, tzinfo=minsk), language) == expected


def test_times_use_the_24_hour_clock() -> None:
    assert date_and_time(datetime(2017, 5, 2, 0, 5, tzinfo=UTC), "en") == "May 2, 2017 00:05"


def test_django_writes_belarusian_dates_as_belarusians_do() -> None:
    """F2"""
    with translation.override("be"):
        assert formats.date_format(date(2017, 7, 24)) == "24 ліпеня 2017 г."
        assert formats.date_format(date(2017, 7, 24), "SHORT_DATE_FORMAT") == "24.07.2017"
        at = datetime(2017, 7, 24, 9, 5, tzinfo=UTC)
        assert formats.date_format(at, "DATETIME_FORMAT") == "24 ліпеня 2017 г. 9:05"
        assert formats.get_format("FIRST_DAY_OF_WEEK") == 1

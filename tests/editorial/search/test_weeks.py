"""Weeks are found by the name that the desk gives them, in every language of the site."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest.dates import month_name, week_range
from newsletter.editorial.search.weeks import parse

LANGUAGES = [code for code, _name in settings.LANGUAGES]
WEEK = (date(2026, 11, 9), date(2026, 11, 15))
NINTH = (date(2026, 11, 9),) * 2
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("9–15 November 2026", WEEK),
        ("9 - 15 november 2026", WEEK),
        ("November 9 – November 15, 2026", WEEK),
        ("November 9–15, 2026", WEEK),
        ("9–15 лістапада 2026", WEEK),
        ("9–15 ноября 2026 г.", WEEK),
        ("с 9 по 15 ноября 2026 года", WEEK),
        ("9.11.2026 – 15.11.2026", WEEK),
        ("9–15.11.2026", WEEK),
        ("2026-11-09/2026-11-15", WEEK),
        ("9 ноября 2026", NINTH),
        ("9 лістапада 2026", NINTH),
        ("9th of November 2026", NINTH),
        ("Nov 9, 2026", NINTH),
        ("2026-11-09", NINTH),
        ("2026-11-9", NINTH),
        ("9.11.2026", NINTH),
        ("09.11.26", NINTH),
        ("9/11/2026", NINTH),
        ("лістапад 2026", NOVEMBER),
        ("Лістап 2026", NOVEMBER),
        ("у лістападзе 2026", NOVEMBER),
        ("в ноябре 2026", NOVEMBER),
        ("2026-11", NOVEMBER),
        ("2026", (date(2026, 1, 1), date(2026, 12, 31))),
        ("11/24/2026", (date(2026, 11, 24),) * 2),
        ("28 снежня – 3 студзеня 2027", (date(2026, 12, 28), date(2027, 1, 3))),
        ("December 28, 2026 – January 3, 2027", (date(2026, 12, 28), date(2027, 1, 3))),
        ("October – November 2026", (date(2026, 10, 1), date(2026, 11, 30))),
        ("2025–2026", (date(2025, 1, 1), date(2026, 12, 31))),
    ],
)
def test_a_date_is_read(text: str, days: tuple[date, date]) -> None:
    written = parse(text)
    assert written
    assert written.has_year
    assert written.in_years(1, 1) == [days]


@pytest.mark.parametrize("text", ["November 9 – November 15", "9–15 лістапада", "9–15.11"])
def test_without_a_year_it_is_read_in_each_year(text: str) -> None:
    written = parse(text)
    assert written
    assert not written.has_year
    assert written.in_years(2025, 2026) == [(date(2025, 11, 9), date(2025, 11, 15)), WEEK]


@pytest.mark.parametrize(
    ("text", "names_days"), [("March", False), ("2026", False), ("9 сак", True), ("3.2026", None)]
)
def test_a_month_or_a_year_alone_may_also_be_a_word(
    text: str,
    names_days: bool | None,  # noqa: FBT001
) -> None:
    written = parse(text)
    assert (written.names_days if written else None) is names_days


@pytest.mark.parametrize(
    "text",
    [
        *("", "9", "савет", "9 савет", "савет 2026", "99 November", "9 10 November", "15:30"),
        *("2026-13-01", "1.2.3.4", "9999999999", "1/1/1/1", "–", "9 November " * 40, "*"),
        *("NEAR(9)", "мар мар"),
    ],
)
def test_other_texts_are_not_dates(text: str) -> None:
    assert parse(text) is None


def test_a_day_that_the_month_lacks_means_no_days() -> None:
    written = parse("31 November 2026")
    assert written
    assert written.in_years(1, 1) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_week_of_four_years_is_found_by_its_name(language: str) -> None:
    for number in range(4 * 53):
        monday = date(2023, 12, 25) + timedelta(weeks=number)
        sunday = monday + timedelta(6)
        written = parse(week_range(monday, sunday, language, today=date.min))
        assert written
        assert written.in_years(1, 1) == [(monday, sunday)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_month_is_found_by_its_name(language: str) -> None:
    for month in range(1, 13):
        written = parse(month_name(date(2026, month, 1), language))
        assert written
        [(first, last)] = written.in_years(1, 1)
        assert first == date(2026, month, 1)
        assert (last + timedelta(1)).day == 1


@given(st.text(st.sampled_from("0129 .-–/нояnov:*\n٣")))
def test_any_text_is_read_without_an_error(text: str) -> None:
    written = parse(text)
    if written:
        for first, last in written.in_years(2025, 2026):
            assert first <= last

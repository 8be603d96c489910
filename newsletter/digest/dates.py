"""Date ranges, months and moments in any language that CLDR knows (F3, F5). Pure.

Ranges leave out the current year. They use CLDR's patterns with the month written out
(“24–30 ліпеня 2017”), apart from the exceptions in newsletter.lib.language_rules.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, get_day_names, parse_pattern

from newsletter.lib.language_rules import DateRules, rules_for


def week_range(start: date, end: date, language: str, *, today: date) -> str:
    """Return the days from `start` to `end`, inclusive: "24–30 ліпеня 2017"."""
    with_year = not start.year == end.year == today.year
    locale = _locale(language)
    rules = rules_for(str(locale).replace("_", "-").lower()).dates
    if rules.range_day:
        return _range_with_both_months(start, end, rules, locale, with_year=with_year)
    skeleton = "yMMMd" if with_year else "MMMd"
    if start == end:
        pattern = locale.datetime_skeletons.get(skeleton)
        text = (
            _format_with_long_month(str(pattern), start, locale)
            if pattern
            else format_skeleton(skeleton, start, fuzzy=True, locale=locale)
        )
    else:
        text = _interval(start, end, skeleton, locale)
    return text.replace(rules.range_omits, "") if rules.range_omits else text


def month_name(day: date, language: str) -> str:
    """Return the month of `day`, capitalised to start a line: "Ліпень 2017"."""
    name = format_date(day, "LLLL y", locale=_locale(language))
    return name[:1].title() + name[1:]  # .upper() would give Georgian a capital that it lacks


def weekday_name(weekday: int, language: str) -> str:
    """Return the name of a weekday (Monday is 0) for use in a sentence: "Monday", "панядзелак"."""
    return str(get_day_names("wide", "stand-alone", locale=_locale(language))[weekday])


def date_and_time(at: datetime, language: str) -> str:
    """Return the date and 24-hour time of `at` in its own time zone: "May 22, 2017 13:45"."""
    locale = _locale(language)
    # Many fonts lack CLDR's narrow no-break space.
    day = format_date(at.date(), "long", locale=locale).replace("\u202f", "\xa0")
    return rules_for(locale.language).dates.moment.format(day=day, time=at.strftime("%H:%M"))


def _locale(language: str) -> Locale:
    """Return CLDR's locale, or English if CLDR doesn't know the language."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _range_with_both_months(
    start: date, end: date, rules: DateRules, locale: Locale, *, with_year: bool
) -> str:
    last = format_date(end, rules.range_day_with_year if with_year else rules.range_day, locale)
    if start == end:
        return last
    first_pattern = rules.range_day_with_year if start.year != end.year else rules.range_day
    return f"{format_date(start, first_pattern, locale)} – {last}"


def _interval(start: date, end: date, skeleton: str, locale: Locale) -> str:
    """Format a range with CLDR's pattern for the largest field in which its ends differ."""
    largest = "y" if start.year != end.year else "M" if start.month != end.month else "d"
    patterns = locale.interval_formats.get(skeleton, {}).get(largest)
    if not patterns:
        return " – ".join(
            format_skeleton(skeleton, day, fuzzy=True, locale=locale) for day in (start, end)
        )
    return "".join(
        _format_with_long_month(pattern, day, locale)
        for pattern, day in zip(patterns, (start, end), strict=True)
    )


def _format_with_long_month(pattern: str, day: date, locale: Locale) -> str:
    # Georgian has “MMM.”, where the dot belongs to the abbreviation.
    long_month = re.sub(r"(?<!M)MMM(?!M)\.?", "MMMM", pattern)
    return str(parse_pattern(long_month).apply(day, locale))

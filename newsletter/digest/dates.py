"""Weeks and moments in words, in any language that CLDR knows (F3, F5). Pure.

A year is left out only where it is the current one. English has a house style of its own, in
which both months are always named: "July 24 – July 30, 2017". All other languages follow CLDR's
own patterns, widened from the abbreviated month to the long one: "24–30 ліпеня 2017".
"""

from __future__ import annotations

import re
from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, get_day_names, parse_pattern

# CLDR closes a Russian date with "г."; a week reads better, and like a Belarusian one, without.
_YEAR_SIGN = "\u202fг."


def week_range(start: date, end: date, language: str, *, today: date) -> str:
    """The days from `start` to `end`, both inside: "24–30 ліпеня 2017"."""
    with_year = not start.year == end.year == today.year
    locale = _locale(language)
    if locale.language == "en":
        return _house_style(start, end, with_year=with_year)
    skeleton = "yMMMd" if with_year else "MMMd"
    if start == end:
        text = format_skeleton(skeleton, start, fuzzy=True, locale=locale)
        pattern = locale.datetime_skeletons.get(skeleton)
        text = _widened(str(pattern), start, locale) if pattern else text
    else:
        text = _interval(start, end, skeleton, locale)
    return text.replace(_YEAR_SIGN, "")


def month_name(day: date, language: str) -> str:
    """The month in which the day lies, to begin a line with: "Ліпень 2017"."""
    name = format_date(day, "LLLL y", locale=_locale(language))
    return name[:1].title() + name[1:]  # a Georgian word has no capital


def weekday_name(weekday: int, language: str) -> str:
    """Within a sentence: "Monday", "панядзелак". Counts from Monday, 0."""
    return str(get_day_names("wide", "stand-alone", locale=_locale(language))[weekday])


def date_and_time(at: datetime, language: str) -> str:
    """Day and time on the clock that `at` carries: "May 22, 2017 13:45"."""
    locale = _locale(language)
    clock = at.strftime("%H:%M")
    if locale.language == "en":
        return f"{format_date(at.date(), 'MMMM d, y', locale=locale)} {clock}"
    # CLDR's narrow no-break space is missing in many fonts.
    day = format_date(at.date(), "long", locale=locale).replace("\u202f", "\xa0")
    return f"{day}, {clock}"


def _locale(language: str) -> Locale:
    """CLDR's; English for a language that CLDR does not know, so that a date is never missing."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _house_style(start: date, end: date, *, with_year: bool) -> str:
    year = ", y" if with_year else ""
    last = format_date(end, f"MMMM d{year}", locale="en")
    if start == end:
        return last
    first_year = ", y" if start.year != end.year else ""
    return f"{format_date(start, f'MMMM d{first_year}', locale='en')} – {last}"


def _interval(start: date, end: date, skeleton: str, locale: Locale) -> str:
    """By CLDR's pattern for the largest field in which both days differ."""
    differs = "y" if start.year != end.year else "M" if start.month != end.month else "d"
    parts = locale.interval_formats.get(skeleton, {}).get(differs)
    if not parts:
        return " – ".join(
            format_skeleton(skeleton, day, fuzzy=True, locale=locale) for day in (start, end)
        )
    return "".join(
        _widened(part, day, locale) for part, day in zip(parts, (start, end), strict=True)
    )


def _widened(pattern: str, day: date, locale: Locale) -> str:
    # "MMM." is Georgian's: the dot belongs to the abbreviation.
    long_month = re.sub(r"(?<!M)MMM(?!M)\.?", "MMMM", pattern)
    return str(parse_pattern(long_month).apply(day, locale))

"""Read days, weeks and months as people write them, in every language of the site. Pure.

“9–15 November 2026”, “November 9 – November 15”, “9 ноября 2026”, “лістапад 2026”, “2026-11-09”,
“9.11.2026”, “9–15.11”, “2026”. Where two readings are possible, the day comes before the month.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from babel import Locale, UnknownLocaleError
from django.conf import settings

from newsletter.editorial.search.stems import stems_in_any_language
from newsletter.editorial.search.words import words

LONGEST = 80
"""Characters. The name of a week is shorter, and anything longer isn't read."""
Days = tuple[date, date]
"""First and last day."""

_TOKEN = re.compile(
    r"""
    (?P<iso> \d{4}-\d{1,2}(?:-\d{1,2})?(?!\d) )
  | (?P<dotted> \d{1,2}[./]\d{1,2}(?:[./](?:\d{4}|\d{2}))?(?![\d./]*\d) )
  | (?P<number> \d+ ) (?:(?:st|nd|rd|th|-?га|-?го|-?е)\b)?
  | (?P<dash> [-–—−‑/…] )
  | (?P<word> [^\W\d_]+ )
  | (?P<gap> [\s.,]+ )
  | (?P<other> . )
    """,
    re.VERBOSE,
)
_RANGE_WORDS = {"to", "until", "till", "по", "до", "па", "да"}
_IGNORED_WORDS = {
    *("of", "the", "week", "from", "in", "on"),
    *("г", "год", "года", "году", "неделя", "неделю", "с", "со", "в", "на", "за"),
    *("годзе", "тыдзень", "з", "у"),
}
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


class _NotADateError(Exception):
    """The text is something else."""


@dataclass(frozen=True)
class _Partial:
    """An end of a range; a missing part is taken from the other end."""

    day: int | None = None
    month: int | None = None
    year: int | None = None

    def __bool__(self) -> bool:
        return self != _Partial()

    @property
    def is_date(self) -> bool:
        """Whether it is a day, a month or a year, and not a number that may be anything."""
        return bool(self.month or (self.year and not self.day))

    def with_part(self, **part: int) -> _Partial:
        [(name, value)] = part.items()
        if getattr(self, name) is not None:
            raise _NotADateError
        return replace(self, **{name: value})

    def completed_by(self, other: _Partial) -> _Partial:
        """A month alone has no day, and a year alone no month, so a day needs the other's month."""
        year = self.year or other.year
        month = self.month or (other.month if self.day or other.day else None)
        return replace(self, month=month, year=year)

    def first_day(self, year: int) -> date:
        return date(year, self.month or 1, self.day or 1)

    def last_day(self, year: int) -> date:
        month = self.month or 12
        return date(year, month, self.day or calendar.monthrange(year, month)[1])


@dataclass(frozen=True)
class Written:
    """A range of days as it was written: with a year, or without one."""

    start: _Partial
    end: _Partial

    @property
    def names_days(self) -> bool:
        """Whether it can hardly mean anything but a date: not “March” or “2026” alone."""
        return bool(self.start.day or (self.start.month and self.start.year))

    @property
    def has_year(self) -> bool:
        return self.end.year is not None

    def in_years(self, first: int, last: int) -> list[Days]:
        """Return the days it means. Without a year, these are days of each year in the range."""
        if self.end.year is not None:
            found = self._days(self.start.year or self.end.year, self.end.year)
            return [found] if found else []
        ranges = (self._days(year, year) for year in range(first, last + 1))
        return [each for each in ranges if each]

    def _days(self, first_year: int, last_year: int) -> Days | None:
        try:
            start, end = self.start.first_day(first_year), self.end.last_day(last_year)
            if start > end and first_year == last_year:  # “29 December – 4 January 2027”
                start = self.start.first_day(first_year - 1)
        except ValueError:  # 31 November
            return None
        return (start, end) if start <= end else None


def parse(text: str) -> Written | None:
    """Return the days that the text names, or None if it isn't a date."""
    try:
        ends = _ends(_tokens(text)) if len(text) <= LONGEST else []
    except _NotADateError:
        return None
    if not 1 <= len(ends) <= 2:
        return None
    start, end = ends[0], ends[-1]
    written = Written(start.completed_by(end), end.completed_by(start))
    return written if written.start.is_date and written.end.is_date else None


def _ends(tokens: Iterator[re.Match[str]]) -> list[_Partial]:
    """Return the ends of the range that were named."""
    ends = [_Partial()]
    for token in tokens:
        kind, text = str(token.lastgroup), token[0]
        if kind == "gap" or (kind == "word" and text in _IGNORED_WORDS):
            continue
        if kind == "dash" or (kind == "word" and text in _RANGE_WORDS):
            ends += [_Partial()] if ends[-1] else []
        elif kind in {"iso", "dotted"}:
            if ends[-1]:
                raise _NotADateError
            ends[-1] = _iso(text) if kind == "iso" else _dotted(text)
        else:
            ends[-1] = _with_token(ends[-1], kind, token)
    return [end for end in ends if end]


def _with_token(end: _Partial, kind: str, token: re.Match[str]) -> _Partial:
    if kind == "number":
        number = int(token["number"][:5])
        if _FIRST_YEAR <= number <= _LAST_YEAR:
            return end.with_part(year=number)
        if 1 <= number <= 31:
            return end.with_part(day=number)
    elif kind == "word" and (month := _month(token[0])):
        return end.with_part(month=month)
    raise _NotADateError


def _iso(text: str) -> _Partial:
    year, month, *day = map(int, text.split("-"))
    return _checked(day[0] if day else None, month, year)


def _dotted(text: str) -> _Partial:
    day, month, *rest = map(int, re.split(r"[./]", text))
    year = rest[0] if rest else None
    if month > 12 >= day:  # 11/24/2026
        day, month = month, day
    return _checked(day, month, year + 2000 if year is not None and year < 100 else year)


def _checked(day: int | None, month: int, year: int | None) -> _Partial:
    possible = 1 <= month <= 12 and (day is None or 1 <= day <= 31)
    if not possible or not (year is None or _FIRST_YEAR <= year <= _LAST_YEAR):
        raise _NotADateError
    return _Partial(day, month, year)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return _TOKEN.finditer(unicodedata.normalize("NFKC", text).casefold())


def _month(word: str) -> int | None:
    """Return the number of a month by its name, another form of it, or the first three letters."""
    [folded] = words(word) or [""]
    names = _months(tuple(code for code, _name in settings.LANGUAGES))
    for form in (folded, *sorted(stems_in_any_language(folded))):
        if form in names:
            return names[form]
    beginnings = {names[name] for name in names if len(folded) >= 3 and name.startswith(folded)}
    return beginnings.pop() if len(beginnings) == 1 else None


@cache
def _months(languages: tuple[str, ...]) -> dict[str, int]:
    """Return the numbers of the months by their folded names and stems in these languages."""
    found: dict[str, int] = {}
    for code in languages:
        try:
            locale = Locale.parse(code, sep="-")
        except (UnknownLocaleError, ValueError):
            continue  # a language that CLDR doesn't know has no names of months
        for context in ("format", "stand-alone"):
            for number, name in locale.months[context]["wide"].items():
                [folded, *_others] = words(name) or [""]
                found[folded] = number
                for stem in stems_in_any_language(folded):
                    found.setdefault(stem, number)
    return found

"""When a newsletter is due, and for which week. Pure: data and the clock in, a decision out.

A rule is a weekday and a local time in an IANA zone (E2). The period is a calendar week, Monday
to Sunday, never "the last seven days": a week with a clock change has 167 or 169 hours.

A month is made of whole weeks. Its round-up goes out on the occasion that sends the first week of
the next month: by then each of its own issues had its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Rule:
    """`weekday` counts from Monday, 0. `sends_ended_week`: the week before that of the day
    itself (Monday 22 May 2017 sends 15–21 May)."""

    weekday: int
    time: time
    zone: str
    sends_ended_week: bool = True


@dataclass(frozen=True)
class Occurrence:
    """`at` in UTC; `week` is the Monday of the week that it sends."""

    at: datetime
    week: date


@dataclass(frozen=True, order=True)
class Month:
    """The weeks whose Thursday lies in a month of the calendar, as ISO 8601 counts those of a
    year: no week is in two months."""

    year: int
    month: int

    @classmethod
    def of(cls, week: date) -> Month:
        """That of the week in which the day lies."""
        thursday = monday_of(week) + timedelta(days=3)
        return cls(thursday.year, thursday.month)

    @classmethod
    def parse(cls, key: str) -> Month:
        """From "2017-07". Raises ValueError."""
        first = date.fromisoformat(f"{key}-01")
        if first.year in {MINYEAR, MAXYEAR}:
            raise ValueError(f"{key} is beyond the calendar")  # it has no neighbours
        return cls(first.year, first.month)

    @property
    def key(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def starts_on(self) -> date:
        """The Monday of its first week: a month's first Thursday is never later than its 7th."""
        return monday_of(date(self.year, self.month, 4))

    @property
    def next(self) -> Month:
        return Month.of(self.starts_on + 5 * WEEK)

    @property
    def previous(self) -> Month:
        return Month.of(self.starts_on - WEEK)


@dataclass(frozen=True)
class RoundUp:
    """`at` in UTC; `month` is the one whose articles it sends."""

    at: datetime
    month: Month


class Decision(StrEnum):
    WAIT = "wait"
    SEND = "send"
    HOLD_LATE = "hold-late"


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def occurrence_in_week_of(rule: Rule, day: date) -> Occurrence:
    """The rule's occasion in the week of `day`.

    A local time that the clock skips is taken as if the clock had not been put forward yet
    (02:30 becomes 03:30); one that comes twice is taken the first time.
    """
    monday = monday_of(day)
    local = datetime.combine(
        monday + timedelta(days=rule.weekday), rule.time, tzinfo=ZoneInfo(rule.zone)
    )
    return Occurrence(local.astimezone(UTC), monday - WEEK if rule.sends_ended_week else monday)


def occurrence_sending(rule: Rule, week: date) -> Occurrence:
    """The occasion that sends the week of that Monday."""
    return occurrence_in_week_of(rule, week + WEEK if rule.sends_ended_week else week)


def latest_occurrence(rule: Rule, now: datetime) -> Occurrence:
    """The last occasion at or before `now`."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    occasion = occurrence_in_week_of(rule, today)
    return occasion if occasion.at <= now else occurrence_in_week_of(rule, today - WEEK)


def next_occurrence(rule: Rule, now: datetime) -> Occurrence:
    """The first occasion after `now`."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    occasion = occurrence_in_week_of(rule, today)
    return occasion if occasion.at > now else occurrence_in_week_of(rule, today + WEEK)


def latest_round_up(rule: Rule, now: datetime) -> RoundUp:
    """The last round-up that was due at or before `now`."""
    return _round_up_with(rule, Month.of(latest_occurrence(rule, now).week))


def next_round_up(rule: Rule, now: datetime) -> RoundUp:
    """The first round-up after `now`."""
    return _round_up_with(rule, Month.of(latest_occurrence(rule, now).week).next)


def _round_up_with(rule: Rule, month: Month) -> RoundUp:
    """The one that goes out with the first week of `month`."""
    return RoundUp(occurrence_sending(rule, month.starts_on).at, month.previous)


def decide(
    occasion: Occurrence | RoundUp,
    now: datetime,
    *,
    since: datetime | None,
    done: bool,
    late_hours: int,
) -> Decision:
    """What to do about the latest occasion.

    Missed ones become one, as only the latest is asked about (E3). What was due before the
    schedule was set (`since`) is not caught up.
    """
    if done or since is None or occasion.at < since:
        return Decision.WAIT
    if now - occasion.at >= timedelta(hours=late_hours):
        return Decision.HOLD_LATE
    return Decision.SEND

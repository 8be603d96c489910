"""Decide when a newsletter is due, and for which week. Pure: data and the time in, a decision out.

A rule is a weekday and a local time in an IANA time zone (E2). The period is a calendar week from
Monday to Sunday, not "the last seven days": a week with a clock change has 167 or 169 hours.

A month consists of whole weeks. Its round-up goes out together with the first week of the next
month, after all of that month's issues.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Rule:
    """When a newsletter goes out each week. Monday is weekday 0.

    With `sends_ended_week`, it covers the previous week: Monday 22 May 2017 sends 15–21 May.
    """

    weekday: int
    time: time
    zone: str
    sends_ended_week: bool = True


@dataclass(frozen=True)
class Occurrence:
    """A time `at` which a rule is due (UTC). `week` is the Monday of the week that it sends."""

    at: datetime
    week: date


@dataclass(frozen=True, order=True)
class Month:
    """The weeks whose Thursday is in a calendar month, so that no week is in two months.

    ISO 8601 assigns weeks to years in the same way.
    """

    year: int
    month: int

    @classmethod
    def of(cls, week: date) -> Month:
        """Return the month of the week that contains the day."""
        thursday = monday_of(week) + timedelta(days=3)
        return cls(thursday.year, thursday.month)

    @classmethod
    def parse(cls, key: str) -> Month:
        """Parse a key such as "2017-07". Raises ValueError."""
        first = date.fromisoformat(f"{key}-01")
        if first.year in {MINYEAR, MAXYEAR}:
            raise ValueError(
                f"{key} is beyond the calendar"
            )  # it would lack a previous or next month
        return cls(first.year, first.month)

    @property
    def key(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def starts_on(self) -> date:
        """The Monday of the first week. The 4th is always in the week of the first Thursday."""
        return monday_of(date(self.year, self.month, 4))

    @property
    def next(self) -> Month:
        return Month.of(self.starts_on + 5 * WEEK)

    @property
    def previous(self) -> Month:
        return Month.of(self.starts_on - WEEK)


@dataclass(frozen=True)
class RoundUp:
    """A month's round-up, due `at` (UTC)."""

    at: datetime
    month: Month


class Decision(StrEnum):
    WAIT = "wait"
    SEND = "send"
    HOLD_LATE = "hold-late"


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def occurrence_in_week_of(rule: Rule, day: date) -> Occurrence:
    """Return the rule's occurrence in the week that contains `day`.

    A local time that a clock change skips moves an hour later (02:30 becomes 03:30). Of a time
    that occurs twice, the first one counts.
    """
    monday = monday_of(day)
    local = datetime.combine(
        monday + timedelta(days=rule.weekday), rule.time, tzinfo=ZoneInfo(rule.zone)
    )
    return Occurrence(local.astimezone(UTC), monday - WEEK if rule.sends_ended_week else monday)


def occurrence_sending(rule: Rule, week: date) -> Occurrence:
    """Return the occurrence that sends the week of that Monday."""
    return occurrence_in_week_of(rule, week + WEEK if rule.sends_ended_week else week)


def latest_occurrence(rule: Rule, now: datetime) -> Occurrence:
    """Return the last occurrence at or before `now`."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    occurrence = occurrence_in_week_of(rule, today)
    return occurrence if occurrence.at <= now else occurrence_in_week_of(rule, today - WEEK)


def next_occurrence(rule: Rule, now: datetime) -> Occurrence:
    """Return the first occurrence after `now`."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    occurrence = occurrence_in_week_of(rule, today)
    return occurrence if occurrence.at > now else occurrence_in_week_of(rule, today + WEEK)


def latest_round_up(rule: Rule, now: datetime) -> RoundUp:
    """Return the last round-up that was due at or before `now`."""
    return _round_up_with(rule, Month.of(latest_occurrence(rule, now).week))


def next_round_up(rule: Rule, now: datetime) -> RoundUp:
    """Return the first round-up after `now`."""
    return _round_up_with(rule, Month.of(latest_occurrence(rule, now).week).next)


def _round_up_with(rule: Rule, month: Month) -> RoundUp:
    """Return the round-up that goes out with the first week of `month`."""
    return RoundUp(occurrence_sending(rule, month.starts_on).at, month.previous)


def decide(
    due: Occurrence | RoundUp,
    now: datetime,
    *,
    since: datetime | None,
    done: bool,
    late_hours: int,
) -> Decision:
    """Decide what to do about the latest occurrence.

    Callers pass only the latest one, so earlier ones that were missed are skipped (E3). Nothing
    is sent that was due before the schedule was set (`since`).
    """
    if done or since is None or due.at < since:
        return Decision.WAIT
    if now - due.at >= timedelta(hours=late_hours):
        return Decision.HOLD_LATE
    return Decision.SEND

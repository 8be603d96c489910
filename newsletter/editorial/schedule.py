"""When a newsletter is due, and for which week. Pure: data and the clock in, a decision out.

A rule is a weekday and a local time in an IANA zone (E2). The period is a calendar week, Monday
to Sunday, never "the last seven days": a week with a clock change has 167 or 169 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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
class Occasion:
    """`at` in UTC; `week` is the Monday of the week that it sends."""

    at: datetime
    week: date


class Decision(StrEnum):
    WAIT = "wait"
    SEND = "send"
    HOLD_LATE = "hold-late"


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def occasion_on(rule: Rule, day: date) -> Occasion:
    """The rule's occasion in the week of `day`.

    A local time that the clock skips is taken as if the clock had not been put forward yet
    (02:30 becomes 03:30); one that comes twice is taken the first time.
    """
    monday = monday_of(day)
    local = datetime.combine(
        monday + timedelta(days=rule.weekday), rule.time, tzinfo=ZoneInfo(rule.zone)
    )
    return Occasion(local.astimezone(UTC), monday - WEEK if rule.sends_ended_week else monday)


def latest(rule: Rule, now: datetime) -> Occasion:
    """The last occasion at or before `now`."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    occasion = occasion_on(rule, today)
    return occasion if occasion.at <= now else occasion_on(rule, today - WEEK)


def following(rule: Rule, now: datetime) -> Occasion:
    """The first occasion after `now`."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    occasion = occasion_on(rule, today)
    return occasion if occasion.at > now else occasion_on(rule, today + WEEK)


def decide(
    occasion: Occasion, now: datetime, *, since: datetime | None, done: bool, late_hours: int
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

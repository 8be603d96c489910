"""When a reader's mail is due who asked for an hour of the day. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def due_at(hour: int | None, *, zone: str, since: datetime) -> datetime:
    """The first moment at or after `since` at which the clock of `zone` shows that hour, in UTC.

    Without an hour, and in the midst of it, that is `since` itself: who asks for nine gets an
    issue of 9:00 that was frozen at 9:00:20 at once, and not a day later. An hour that the clock
    skips is taken as in `editorial.schedule`: 02:00 becomes 03:00.
    """
    if hour is None:
        return since
    here = since.astimezone(ZoneInfo(zone))
    if here.hour == hour:
        return since
    days = (here.date(), here.date() + timedelta(days=1))
    dues = (
        datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in days
    )
    return next(due for due in dues if due >= since)

"""When the email to a reader with a preferred hour of the day is due. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def due_at(hour: int | None, *, zone: str, since: datetime) -> datetime:
    """Return the first moment at or after `since` at which it is that hour in `zone`, in UTC.

    Without an hour, or during that hour, this is `since` itself: a reader who prefers 9:00 gets an
    issue whose snapshot was taken at 9:00:20 at once, not a day later. An hour that the clock
    skips is treated as in `editorial.schedule`: 02:00 becomes 03:00.
    """
    if hour is None:
        return since
    local = since.astimezone(ZoneInfo(zone))
    if local.hour == hour:
        return since
    days = (local.date(), local.date() + timedelta(days=1))
    candidates = (
        datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in days
    )
    return next(moment for moment in candidates if moment >= since)

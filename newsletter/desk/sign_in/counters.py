"""Counts failures under keyed hashes, in the cache, or in the database while the cache is away.

The hash's key changes daily, so a counter says nothing about whom it counts once the day is over,
and a list of addresses can't be tried on it without the site's secret key (G7). Each failure after
the first few makes the next attempt wait, twice as long every time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.core.cache import cache
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from newsletter.delivery.models import FailedSignIns
from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors

T = TypeVar("T")
DAY = 24 * 3600


@dataclass(frozen=True)
class Counter:
    """Failures of one kind, such as wrong passwords for one account from one source.

    After `free` of them, the next attempt waits `first` seconds, then twice as long each time, up
    to `longest`.
    """

    parts: tuple[str, ...]
    free: int = 5
    first: int = 30
    longest: int = 3600

    def seconds_to_wait(self) -> int:
        """Return how long the next attempt has to wait; 0 if it needn't."""
        until = _try_cache(self._cached_wait, self._stored_wait)
        if until is None:
            return 0
        return max(0, round((until - timezone.now()).total_seconds()))

    def count(self) -> int:
        """Count a failure; return how many there were today."""
        return _try_cache(self._count_in_cache, self._count_in_database)

    def failures(self) -> int:
        """Return today's failures, without counting one."""
        return _try_cache(
            lambda: int(cache.get(self._key, 0)),
            lambda: sum(self._row().values_list("failures", flat=True)),
        )

    def forget(self) -> None:
        """Start over: the right password was given."""
        _try_cache(lambda: cache.delete_many([self._key, f"{self._key}:wait"]), lambda: None)
        self._row().delete()

    @property
    def _key(self) -> str:
        text = "\0".join(self.parts)
        digest = salted_hmac(f"sign-in {timezone.now().date()}", text, algorithm="sha256")
        return f"sign-in:{digest.hexdigest()}"[:64]

    def _pause(self, failures: int) -> timedelta | None:
        if failures < self.free:
            return None
        return timedelta(seconds=min(self.longest, self.first * 2 ** min(failures - self.free, 20)))

    def _cached_wait(self) -> datetime | None:
        until: datetime | None = cache.get(f"{self._key}:wait")
        return until

    def _count_in_cache(self) -> int:
        cache.add(self._key, 0, timeout=DAY)
        try:
            failures = int(cache.incr(self._key))
        except ValueError:  # it expired between the two calls
            failures = 1
        if pause := self._pause(failures):
            until = timezone.now() + pause
            cache.set(f"{self._key}:wait", until, timeout=int(pause.total_seconds()))
        return failures

    def _row(self) -> QuerySet[FailedSignIns]:
        return FailedSignIns.objects.filter(key=self._key)

    def _stored_wait(self) -> datetime | None:
        return self._row().values_list("wait_until", flat=True).first()

    def _count_in_database(self) -> int:
        now = timezone.now()
        FailedSignIns.objects.filter(changed_at__lt=now - timedelta(seconds=DAY)).delete()
        row, _is_new = FailedSignIns.objects.get_or_create(
            key=self._key, defaults={"changed_at": now}
        )
        self._row().update(failures=F("failures") + 1, changed_at=now)
        row.refresh_from_db()
        if pause := self._pause(row.failures):
            self._row().update(wait_until=now + pause)
        return row.failures


def _try_cache(in_cache: Callable[[], T], in_database: Callable[[], T]) -> T:
    """Do it in the cache, or else in the database, so that a cache outage keeps nobody out."""
    try:
        return in_cache()
    except cache_errors() as error:
        outages.monitor.report_failure("cache", type(error).__name__)
        return in_database()

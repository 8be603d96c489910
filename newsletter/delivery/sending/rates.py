"""Shares each transport's pace among all workers.

Rates are kept by token buckets in the broker's server, and what an hour or a day allows by a row of
the ledger, which is updated before messages are handed over: whatever dies, nothing is counted too
low.
"""

from __future__ import annotations

import logging
import os
from time import monotonic
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from newsletter.delivery.models import TransportUsage
from newsletter.delivery.sending import protocol
from newsletter.lib.token_bucket import Buckets, PrivateBuckets, SharedBuckets, connect
from newsletter.transport.base import AnyTransport
from newsletter.transport.pace.allowance import Share, Usage, take
from newsletter.transport.pace.limits import Limits

log = logging.getLogger(__name__)
T = TypeVar("T", bound=AnyTransport)
NOTE_EVERY_SECONDS = 5.0
"""How often a count that limits nothing is written, at most; and at the end of each task."""


def share(transport: T) -> T:
    """Share the transport's pace with all workers that use a transport of the same name."""
    transport.pace.share(_buckets(transport.name), LedgerAllowance(transport.name))
    return transport


def handed_over_today() -> dict[str, int]:
    """Return how many messages each transport handed over today (UTC), by its name."""
    now = protocol.database_now().timestamp()
    return {row.name: _usage(row).today(now) for row in TransportUsage.objects.order_by("name")}


class LedgerAllowance:
    """The usage of one transport, in its row of the ledger. Time is the database's (E8)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._unwritten = 0
        self._written_at = 0.0

    def take(self, limits: Limits, *, urgent: bool) -> Share:
        """Take a share. It is committed before a message of it is started."""
        with transaction.atomic():
            row = self._locked()
            usage = _usage(row)
            share = take(usage, limits, protocol.database_now().timestamp(), urgent=urgent)
            if share.size:
                _save(row, usage)
        return share

    def note(self, count: int) -> None:
        """Count messages of a transport without such limits. Losing a count does no harm."""
        self._unwritten += count
        if monotonic() - self._written_at >= NOTE_EVERY_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what was noted since the last time."""
        count, self._unwritten = self._unwritten, 0
        if not count:
            return
        self._written_at = monotonic()
        try:
            with transaction.atomic():
                row = self._locked()
                usage = _usage(row)
                usage.add(count, protocol.database_now().timestamp())
                _save(row, usage)
        except (OperationalError, InterfaceError) as error:
            facts = {"transport": self._name, "error": type(error).__name__}
            log.warning("usage-not-counted", extra=facts)

    def today(self) -> int:
        return handed_over_today().get(self._name, 0)

    def _locked(self) -> TransportUsage:
        return TransportUsage.objects.select_for_update().get_or_create(name=self._name)[0]


def _usage(row: TransportUsage) -> Usage:
    slots = {int(slot): count for slot, count in row.slots.items()}
    return Usage(slots, row.days, row.day)


def _save(row: TransportUsage, usage: Usage) -> None:
    row.slots, row.days, row.day = usage.slots, usage.days, usage.day
    row.save(update_fields=["slots", "days", "day"])


def _buckets(owner: str) -> Buckets:
    url = settings.CELERY_BROKER_URL
    if not url.startswith("redis"):
        return PrivateBuckets()

    return SharedBuckets(lambda: connect(url), owner, processes=os.cpu_count() or 1)

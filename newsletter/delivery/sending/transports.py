"""The configured transports of this process, in order of preference, and what all know of them.

A transport that fails is *down* for a while: other transports are preferred, and if there are none,
readers wait. The database holds that state, so that all workers and the desk know it.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from newsletter.delivery.models import TransportState
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import TransportDownError
from newsletter.transport.registry import from_url

log = logging.getLogger(__name__)

_DOWN_SECONDS = 60
_SEEN_EVERY = timedelta(seconds=30)
"""How often a transport that works is recorded as working."""
refused_in_a_row: Counter[str] = Counter()
"""By transport: how many messages were refused in this process since it last accepted one (D8)."""


@cache
def _connected(urls: tuple[str, ...]) -> tuple[AnyTransport, ...]:
    return tuple(from_url(url) for url in urls)


def configured() -> tuple[AnyTransport, ...]:
    """Return all transports, in order of preference. Each keeps its connections open."""
    return _connected(tuple(settings.DELIVERY_TRANSPORTS))


def preferred() -> AnyTransport:
    """Return the first transport that isn't marked down, or the first of all if every one is."""
    transports = configured()
    down = _names_down()
    return next((t for t in transports if t.name not in down), transports[0])


def has_another(down: AnyTransport) -> bool:
    """Return whether a transport other than `down` is not marked down."""
    names = _names_down()
    return any(t.name not in names for t in configured() if t.name != down.name)


def _names_down() -> set[str]:
    marked = TransportState.objects.filter(retry_at__gt=Now())
    return set(marked.values_list("name", flat=True))


def mark_down(transport: AnyTransport, down: TransportDownError) -> None:
    """Close the transport, and prefer others until it may be tried again."""
    transport.close()
    _store(
        transport.name,
        Q(),
        down_since=Coalesce(F("down_since"), Now()),
        retry_at=Now() + timedelta(seconds=down.retry_after or _DOWN_SECONDS),
        reason=down.reason[:200],
        fault=down.fault.value,
        code=down.code,
        status=down.status[:12],
    )


def mark_up(transport: AnyTransport) -> None:
    """Record that the transport has just accepted a message."""
    stale = Q(accepted_at=None) | Q(accepted_at__lt=Now() - _SEEN_EVERY)
    which = stale | ~Q(down_since=None)
    _store(transport.name, which, accepted_at=Now(), down_since=None, retry_at=None)


def _store(name: str, which: Q, **columns: object) -> None:
    """Update the transport's row if it is as `which` says; create it if there is none.

    A lost database connection doesn't matter here: the caller has results to record, and this is
    found out again with the next batch.
    """
    try:
        rows = TransportState.objects.filter(name=name)
        if not rows.filter(which).update(**columns) and not rows.exists():
            TransportState.objects.get_or_create(name=name)
            rows.update(**columns)
    except (OperationalError, InterfaceError) as error:
        log.warning("transport-not-recorded", extra={"transport": name, "error": type(error)})
        connection.close()


def retry_now(name: str) -> bool:
    """Try a transport again at once; return whether it was marked down."""
    return bool(TransportState.objects.filter(name=name, retry_at__gt=Now()).update(retry_at=None))


def reset() -> None:
    """Close all connections, and read the settings again at the next use."""
    for transport in _connected(tuple(settings.DELIVERY_TRANSPORTS)):
        transport.close()
    _connected.cache_clear()
    refused_in_a_row.clear()

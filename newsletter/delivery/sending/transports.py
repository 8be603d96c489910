"""The configured transports of this process, in order of preference, and what all know of them.

A transport that fails is *down*: others are used, and if there are none, readers wait. After a
pause, one worker tries it again. The database holds that state, so that all workers and the desk
know it.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from functools import cache
from time import monotonic

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import (
    BooleanField,
    Case,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import Coalesce, Now

from newsletter.delivery.models import TransportState
from newsletter.delivery.sending import rates
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import Fault, TransportDownError
from newsletter.transport.registry import from_url

log = logging.getLogger(__name__)

FIRST_PAUSE = 5
"""Seconds before the first new attempt; the pause doubles up to SEND_RETRY_SECONDS."""
_SEEN_EVERY = timedelta(seconds=30)
"""How often a transport that works is recorded as working."""
_ASK_EVERY_SECONDS = 30.0
_asked_at: dict[str, float] = {}
refused_in_a_row: Counter[str] = Counter()
"""By transport: how many messages were refused in this process since it last accepted one (D8)."""


@cache
def _connected(urls: tuple[str, ...]) -> tuple[AnyTransport, ...]:
    return tuple(rates.share(from_url(url)) for url in urls)


def configured() -> tuple[AnyTransport, ...]:
    """Return all transports, in order of preference. Each keeps its connections open."""
    return _connected(tuple(settings.DELIVERY_TRANSPORTS))


def available() -> AnyTransport | None:
    """Return the first transport that may be used now, or None while all are down.

    One that is down is tried by one worker at a time, once its pause is over. So a provider that
    takes calls but never answers leaves one call in doubt for each pause, not the whole mailing.
    """
    down = dict(_down().values_list("name", "retry_at"))
    for transport in configured():
        if transport.name not in down or _claim_attempt(transport.name):
            _adopt_what_others_learned(transport)
            return transport
    return None


def available_for_single() -> AnyTransport | None:
    """Return the transport for a single email: also one that is only too slow for a mailing.

    What a limit leaves for single emails, and a relay that says "too fast", still take one.
    """
    too_fast = set(_down().filter(fault=Fault.SPEED).values_list("name", flat=True))
    patient = next((t for t in configured() if t.name in too_fast), None)
    return available() or patient


def give_back(transport: AnyTransport) -> None:
    """Let others try a transport that is down: this worker found nothing to try it with."""
    _down().filter(name=transport.name).update(retry_at=None)


def all_down() -> bool:
    """Return whether no transport may be tried now."""
    waiting = set(_down().filter(retry_at__gt=Now()).values_list("name", flat=True))
    return all(transport.name in waiting for transport in configured())


def preferred() -> AnyTransport:
    """Return the first transport that isn't down, or the first if all are: for rendering only."""
    names = set(_down().values_list("name", flat=True))
    return next((t for t in configured() if t.name not in names), configured()[0])


def has_another(down: AnyTransport) -> bool:
    """Return whether a transport other than `down` is not down."""
    names = set(_down().values_list("name", flat=True))
    return any(t.name not in names for t in configured() if t.name != down.name)


def _down() -> QuerySet[TransportState]:
    return TransportState.objects.exclude(down_since=None)


def _claim_attempt(name: str) -> bool:
    """Return whether this worker may try a transport that is down; others then have to wait."""
    waited = TransportState.objects.filter(Q(retry_at=None) | Q(retry_at__lte=Now()), name=name)
    lease = timedelta(seconds=settings.SEND_LEASE_SECONDS)
    return bool(waited.update(retry_at=Now() + lease))


def mark_down(transport: AnyTransport, down: TransportDownError) -> None:
    """Close the transport, and don't use it until its pause is over.

    The pause is what the peer asked for, or doubles with each failed attempt.
    """
    transport.close()
    failures = _failures(transport.name)
    pause = down.retry_after or min(FIRST_PAUSE << min(failures, 10), settings.SEND_RETRY_SECONDS)
    _store(
        transport.name,
        Q(),
        down_since=Coalesce(F("down_since"), Now()),
        failures=failures + 1,
        retry_at=Now() + timedelta(seconds=pause),
        reason=down.reason[:200],
        fault=down.fault.value,
        code=down.code,
        status=down.status[:12],
    )


def _failures(name: str) -> int:
    """Return how many attempts have failed in a row; 0 if the database can't tell."""
    try:
        rows = TransportState.objects.filter(name=name)
        return rows.values_list("failures", flat=True).first() or 0
    except (OperationalError, InterfaceError):
        connection.close()
        return 0


def mark_up(transport: AnyTransport) -> None:
    """Record that the transport has just accepted a message."""
    stale = Q(accepted_at=None) | Q(accepted_at__lt=Now() - _SEEN_EVERY)
    which = stale | ~Q(down_since=None)
    if not _is_news(transport.name, which):
        return
    _store(
        transport.name,
        which,
        accepted_at=Now(),
        down_since=None,
        retry_at=None,
        failures=0,
        facts=_facts(transport),
    )


def _is_news(name: str, which: Q) -> bool:
    """Return whether the transport's row is as `which` says, or is missing."""
    try:
        rows = TransportState.objects.filter(name=name)
        news = rows.annotate(
            is_news=Case(When(which, then=True), default=False, output_field=BooleanField())
        )
        return news.values_list("is_news", flat=True).first() is not False
    except (OperationalError, InterfaceError):
        connection.close()
        return False


def _facts(transport: AnyTransport) -> dict[str, object]:
    """Return what this worker has learned of the transport, for the operator's page."""
    report = transport.pace.describe()
    return {
        "rate": round(report.measured, 1),
        "learned_rate": round(report.learned, 1) or None,
        "limits": ", ".join(f"{name}={limit}" for name, limit in report.limits.items()),
        **transport.learned(),
    }


def _adopt_what_others_learned(transport: AnyTransport) -> None:
    """Start with what other workers know of the relay's connections, once in a while."""
    if _asked_at.get(transport.name, 0.0) + _ASK_EVERY_SECONDS > monotonic():
        return
    _asked_at[transport.name] = monotonic()
    age = ExpressionWrapper(Now() - F("accepted_at"), DurationField())
    rows = TransportState.objects.filter(name=transport.name).annotate(age=age)
    for facts, age_of_facts in rows.values_list("facts", "age"):
        if facts.get("connections") and age_of_facts is not None:
            transport.adopt(facts, age=age_of_facts.total_seconds())


def write_usage() -> None:
    """Write how much each transport has sent. Called at the end of a task."""
    for transport in configured():
        transport.pace.write_usage()


def retry_now(name: str) -> bool:
    """Try a transport again at once; return whether it was down."""
    return bool(_down().filter(name=name).update(retry_at=None))


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


def reset() -> None:
    """Close all connections, and read the settings again at the next use."""
    for transport in _connected(tuple(settings.DELIVERY_TRANSPORTS)):
        transport.close()
    _connected.cache_clear()
    refused_in_a_row.clear()
    _asked_at.clear()

"""Queue transactional emails, so that nobody can flood someone else's mailbox (B4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from subscribers.models import Subscriber, Subscription, TransactionalEmail

ONE_DAY = timedelta(hours=24)
ONE_HOUR = timedelta(hours=1)
State, Kind = TransactionalEmail.State, TransactionalEmail.Kind
CONFIRMATIONS = (Kind.CONFIRMATION, Kind.CHANGE)
NOT_COUNTED = (State.FAILED, State.DROPPED)


def queue_confirmation(kind: str, subscription: Subscription, reader: Subscriber) -> None:
    """Queue an email that asks `reader` to confirm: at most one per address in 24 hours.

    The first request is answered now. A request for something else within 24 hours, such as a
    second newsletter, is answered when they are over. Later requests don't need a separate email,
    because the page behind the link lists everything that waits for confirmation. So however many
    newsletters an address is signed up for in one day, it gets at most two emails.
    """
    now = timezone.now()
    recent = _counted(reader).filter(kind__in=CONFIRMATIONS, due_at__gt=now - ONE_DAY)
    last = recent.order_by("-due_at").first()
    if last is None:
        _queue(kind, subscription, reader, due_at=now)
        return
    is_repeated = recent.filter(kind=kind, about=str(subscription.pk)).exists()
    another_is_waiting = last.due_at > now
    if not is_repeated and not another_is_waiting:
        _queue(kind, subscription, reader, due_at=last.due_at + ONE_DAY)


def queue_once_per(kind: str, subscription: Subscription, *, once_in: timedelta) -> None:
    """Queue an email to the subscription's reader, unless one of this kind was queued within
    `once_in`."""
    reader, now = subscription.subscriber, timezone.now()
    if not _counted(reader).filter(kind=kind, created_at__gt=now - once_in).exists():
        _queue(kind, subscription, reader, due_at=now)


def drop_queued(**filters: Any) -> None:
    """Drop the queued emails that match the filters."""
    TransactionalEmail.objects.filter(state=State.QUEUED, **filters).update(state=State.DROPPED)


def _counted(reader: Subscriber) -> QuerySet[TransactionalEmail]:
    return reader.transactional_emails.exclude(state__in=NOT_COUNTED)


def _queue(kind: str, subscription: Subscription, reader: Subscriber, *, due_at: datetime) -> None:
    TransactionalEmail.objects.create(
        kind=kind,
        subscriber=reader,
        newsletter_id=subscription.newsletter_id,
        about=str(subscription.pk),
        due_at=due_at,
        expires_at=due_at + ONE_DAY,
    )

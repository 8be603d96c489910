"""Which letters may be queued, and when: nobody's mailbox is filled by somebody else (B4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from subscribers.models import Subscriber, Subscription, TransactionalEmail

ONE_DAY = timedelta(hours=24)
ONE_HOUR = timedelta(hours=1)
CONFIRMATIONS = (TransactionalEmail.Kind.CONFIRMATION, TransactionalEmail.Kind.CHANGE)
NOT_COUNTED = (TransactionalEmail.State.FAILED, TransactionalEmail.State.DROPPED)


def queue_confirmation(kind: str, subscription: Subscription, reader: Subscriber) -> None:
    """An email that asks `reader` to confirm: at most one to an address in 24 hours.

    The first request is answered now. A request for something else within 24 hours, such as a
    second newsletter, is answered when they are over. Whatever is asked for until then needs no
    email of its own, because the page that an email leads to names everything that waits for
    confirmation. So however many newsletters an address is signed up for in one day, two emails
    are all that it gets.
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
    """A letter to the subscription's reader, unless one of its kind was queued lately."""
    reader = subscription.subscriber
    now = timezone.now()
    if not _counted(reader).filter(kind=kind, created_at__gt=now - once_in).exists():
        _queue(kind, subscription, reader, due_at=now)


def drop_queued(**whose: Any) -> None:
    """Drop what waits for a reader who left."""
    TransactionalEmail.objects.filter(state=TransactionalEmail.State.QUEUED, **whose).update(
        state=TransactionalEmail.State.DROPPED
    )


def _counted(reader: Subscriber) -> Any:
    return TransactionalEmail.objects.filter(subscriber=reader).exclude(state__in=NOT_COUNTED)


def _queue(kind: str, subscription: Subscription, reader: Subscriber, *, due_at: Any) -> None:
    TransactionalEmail.objects.create(
        kind=kind,
        subscriber=reader,
        newsletter_id=subscription.newsletter_id,
        about=str(subscription.pk),
        due_at=due_at,
        expires_at=due_at + ONE_DAY,
    )

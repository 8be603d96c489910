"""How long feedback is remembered (B9): retention and erasure of events and message IDs."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, Min, OuterRef

from newsletter.delivery.feedback.bounces import MEMORY
from newsletter.delivery.models import Event, Mailing, Outcome, ProviderMessage
from newsletter.transport.outcomes import Result

Kind = Event.Kind


def collapse_events(mailing: Mailing) -> None:
    """Forget who reported what about a mailing that is being closed; call it before its outcomes
    are deleted.

    A bounce that may still count against a reader stays, without the mailing. Before that, readers
    to whom this mailing was delivered lose their earlier soft bounces, because later nobody could
    tell that they were reset.
    """
    events = Event.objects.filter(mailing_id=mailing.pk)
    bounced_too = events.filter(
        subscriber_id=OuterRef("subscriber_id"), kind__in=[Kind.BOUNCED, Kind.DEFERRED]
    )
    sent = Outcome.objects.filter(
        mailing_id=mailing.pk, subscriber_id=OuterRef("subscriber_id"), result=Result.SENT
    )
    delivered = events.filter(subscriber_id=OuterRef("subscriber_id"), kind=Kind.DELIVERED)
    ended_on = (mailing.finished_at or mailing.created_at).date()
    soft = Event.objects.filter(kind=Kind.DEFERRED, on__lte=ended_on)
    soft.filter(Exists(delivered)).delete()
    soft.filter(Exists(sent), ~Exists(bounced_too)).delete()
    # One soft bounce of an issue counts, however often its delivery was tried.
    first = (
        events.filter(kind=Kind.DEFERRED)
        .values("subscriber_id")
        .annotate(first=Min("pk"))
        .values("first")
    )
    events.filter(kind=Kind.DEFERRED).exclude(
        pk__in=list(first.values_list("first", flat=True))
    ).delete()
    events.filter(kind=Kind.DELIVERED).delete()
    events.update(mailing_id=None)
    ProviderMessage.objects.filter(mailing_id=mailing.pk).delete()


def prune(now: datetime) -> int:
    """Delete events that no longer count; return how many."""
    deleted, _ = Event.objects.filter(on__lt=now.date() - MEMORY).delete()
    return deleted

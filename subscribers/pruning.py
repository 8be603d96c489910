"""How long sign-ups and single emails are kept (B9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q

from subscribers.models import Consent, Subscriber, Subscription, TransactionalEmail

UNCONFIRMED_DAYS = 7
LETTER_DAYS = 30
CHANGE_DAYS = timedelta(days=4)
"""A day until the email is sent at the latest, two in which its link works, and one more."""
ENDED = (
    TransactionalEmail.State.SENT,
    TransactionalEmail.State.REFUSED,
    TransactionalEmail.State.FAILED,
    TransactionalEmail.State.DROPPED,
)


@transaction.atomic
def prune(at: datetime) -> int:
    """Delete sign-ups that nobody confirmed within 7 days; returns how many.

    A subscription that was confirmed at an earlier time goes back to unsubscribed and keeps its
    evidence. Single emails are deleted 30 days after they ended; those with an unknown outcome
    are kept.
    """
    before = at - timedelta(days=UNCONFIRMED_DAYS)
    stale = Subscription.objects.filter(state=Subscription.State.PENDING).alias(
        asked=Max("consents__at", filter=Q(consents__action=Consent.Action.REQUESTED))
    )
    ids = list(
        stale.filter(Q(asked__lt=before) | Q(asked=None, created_on__lt=before.date())).values_list(
            "pk", flat=True
        )
    )
    found = Subscription.objects.filter(pk__in=ids)
    found.exclude(confirmed_on=None).update(state=Subscription.State.UNSUBSCRIBED)
    found.filter(confirmed_on=None).delete()
    # One with no subscription is the holder of a new address that waits to be confirmed.
    waits = TransactionalEmail.objects.filter(
        kind=TransactionalEmail.Kind.CHANGE, subscriber=OuterRef("pk"), due_at__gt=at - CHANGE_DAYS
    )
    Subscriber.objects.filter(~Exists(waits), subscriptions=None).delete()
    TransactionalEmail.objects.filter(
        state__in=ENDED, created_at__lt=at - timedelta(days=LETTER_DAYS)
    ).delete()
    return len(ids)

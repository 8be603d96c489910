"""Suppress addresses that complained, bounced or were erased (D3, B9)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from newsletter.editorial.models import User
from subscribers.crypto.sealing import AddressHash
from subscribers.models import LiftedSuppression, Subscriber, Subscription, Suppression
from subscribers.transactional.queue import drop_queued

State = Subscription.State


def suppress(address_hash: AddressHash, reason: str) -> None:
    """Stop every email to this address, from any newsletter. A stronger reason replaces a weaker
    one: complained, bounced, erased."""
    suppress_all({address_hash: reason})


@transaction.atomic
def suppress_all(reasons: Mapping[AddressHash, str]) -> None:
    """Like `suppress`, for many addresses. A few statements for all of them."""
    digests = [hashed.digest for hashed in reasons]
    # In one order, so that two workers don't wait for each other.
    Suppression.objects.bulk_create(
        [
            Suppression(address_hash=hashed.digest, address_hash_key=hashed.key_number, reason=why)
            for hashed, why in sorted(reasons.items())
        ],
        ignore_conflicts=True,
    )
    wanted = {hashed.digest: reason for hashed, reason in reasons.items()}
    for row in Suppression.objects.filter(address_hash__in=digests):
        reason = wanted[bytes(row.address_hash)]
        if Suppression.stronger(reason, row.reason):
            row.reason = reason
            row.save(update_fields=["reason"])
    Subscription.objects.filter(subscriber__address_hash__in=digests).exclude(
        state=State.UNSUBSCRIBED
    ).update(state=State.UNSUBSCRIBED, unsubscribed_on=timezone.now().date())
    drop_queued(subscriber__address_hash__in=digests)


def lift_erasure(address_hash: bytes) -> None:
    """Let an erased address get email again, once its owner has confirmed a new sign-up or the
    operator vouches for their consent (B9)."""
    erased = Suppression.objects.filter(reason=Suppression.Reason.ERASED)
    erased.filter(address_hash=address_hash).delete()


@transaction.atomic
def lift(address_hash: bytes, *, by: User) -> bool:
    """Let an address be subscribed again, by a member of staff; return False if nothing blocked it.

    Who lifted it and when is recorded. The subscriptions stay ended: only a new sign-up, or an
    operator who vouches for consent, makes them active again (B12).
    """
    suppression = Suppression.objects.select_for_update().filter(address_hash=address_hash).first()
    if suppression is None:
        return False
    LiftedSuppression.objects.create(
        subscriber=Subscriber.objects.filter(address_hash=address_hash).first(),
        reason=suppression.reason,
        since=suppression.since,
        lifted_at=timezone.now(),
        lifted_by=by,
    )
    suppression.delete()
    return True

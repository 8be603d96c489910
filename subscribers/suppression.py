"""Addresses that get nothing any more: complained, bounced or erased (D3, B9)."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from subscribers.crypto.sealing import AddressHash
from subscribers.models import Subscriber, Subscription, Suppression
from subscribers.transactional.queue import drop_queued

Reason = Suppression.Reason

LASTING = (Reason.COMPLAINED, Reason.BOUNCED)
"""Reasons that a sign-up does not lift (B9)."""
STRENGTH = (*LASTING, Reason.ERASED)
"""The strongest first."""


@transaction.atomic
def suppress(address_hash: AddressHash, reason: str) -> None:
    """Stop everything that goes to this address, of any newsletter.

    A stronger reason replaces a weaker one: complained, bounced, erased.
    """
    suppression, _created = Suppression.objects.get_or_create(
        address_hash=address_hash.digest,
        defaults={"address_hash_key": address_hash.key_number, "reason": reason},
    )
    if STRENGTH.index(Reason(reason)) < STRENGTH.index(Reason(suppression.reason)):
        suppression.reason = reason
        suppression.save(update_fields=["reason"])
    Subscription.objects.filter(subscriber__address_hash=address_hash.digest).exclude(
        state=Subscription.State.UNSUBSCRIBED
    ).update(state=Subscription.State.UNSUBSCRIBED, unsubscribed_on=timezone.now().date())
    drop_queued(subscriber__address_hash=address_hash.digest)


def lift_erasure(address_hash: bytes) -> None:
    """Let an erased address get email again (B9).

    Called when its owner has confirmed a new sign-up, or the operator vouches for their consent.
    """
    Suppression.objects.filter(address_hash=address_hash, reason=Reason.ERASED).delete()


def is_suppressed(subscriber: Subscriber) -> bool:
    """Whether email to the reader's address was reported as spam, or bounced for good."""
    return is_blocked(bytes(subscriber.address_hash))


def is_blocked(address_hash: bytes) -> bool:
    """Whether the address is suppressed for a reason that a sign-up does not lift."""
    return Suppression.objects.filter(address_hash=address_hash, reason__in=LASTING).exists()

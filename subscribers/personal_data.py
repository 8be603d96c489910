"""What we hold of one reader: exported, and erased (B9).

Each app that holds something registers its part; this app its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from subscribers.addresses import AddressError, normalise
from subscribers.audience import address_of
from subscribers.crypto.sealing import (
    AddressHash,
    Sealed,
    SealedError,
    address_hashes,
    open_arrival,
    seal_arrival,
)
from subscribers.models import (
    Consent,
    Intake,
    Subscriber,
    Subscription,
    Suppression,
    TransactionalEmail,
)
from subscribers.suppression import suppress


@dataclass(frozen=True)
class DataHolder:
    """One app's part: `export` gives what JSON can hold, `erase` leaves nothing of the reader."""

    export: Callable[[Subscriber], dict[str, Any]]
    erase: Callable[[Subscriber], None]


_parts: dict[str, DataHolder] = {}


def register(
    name: str,
    *,
    export: Callable[[Subscriber], dict[str, Any]],
    erase: Callable[[Subscriber], None],
) -> None:
    """Add a part, once per name; called from an AppConfig's `ready`."""
    _parts[name] = DataHolder(export, erase)


def export(subscriber: Subscriber) -> dict[str, Any]:
    """All that is held of a reader, by part. Needs a worker's keys: the address is in it."""
    return {"address": address_of(subscriber), **export_without_address(subscriber)}


def export_without_address(subscriber: Subscriber) -> dict[str, Any]:
    """`export` without the address, which the web process cannot read."""
    return {name: part.export(subscriber) for name, part in _parts.items()}


@transaction.atomic
def erase(subscriber: Subscriber) -> None:
    """Erase a reader from every part. What is left is a keyed hash, a reason and a date; it keeps
    an import from bringing the reader back, and a new sign-up lifts it."""
    index = AddressHash(subscriber.address_hash_key, bytes(subscriber.address_hash))
    erase_without_trace(subscriber)
    suppress(index, Suppression.Reason.ERASED)
    leave_erasure_note(index)


@transaction.atomic
def erase_without_trace(subscriber: Subscriber) -> None:
    """Erase from every part, and leave nothing, not even a hash."""
    for part in _parts.values():
        part.erase(subscriber)
    subscriber.delete()


def export_reader(subscriber: Subscriber) -> dict[str, Any]:
    """This app's own part."""
    return {
        "id": str(subscriber.public_id),
        "language": subscriber.language,
        "since": subscriber.created_on.isoformat(),
        "subscriptions": [
            _subscription(each)
            for each in subscriber.subscriptions.select_related("newsletter").order_by("pk")
        ],
        "letters": [
            {"kind": email.kind, "state": email.state, "on": email.created_at.date().isoformat()}
            for email in subscriber.transactional_emails.order_by("pk")
        ],
    }


def erase_reader(subscriber: Subscriber) -> None:
    """This app's own rows but the reader's: those go with it (`on_delete=CASCADE`)."""
    subscriber.transactional_emails.all().delete()
    subscriber.subscriptions.all().delete()


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "newsletter": subscription.newsletter.slug,
        "state": subscription.state,
        "languages": list(subscription.languages),
        "topics": sorted(subscription.topics or []),
        "frequency": subscription.frequency,
        "preferred_hour": subscription.preferred_hour,
        "paused_until": subscription.paused_until and subscription.paused_until.isoformat(),
        "content": subscription.content,
        "pictures": subscription.pictures,
        "plain_text": subscription.plain_text,
        "discreet": subscription.discreet,
        "consents": [
            {
                "action": consent.action,
                "wording": consent.wording,
                "version": consent.wording_version,
                "language": consent.language,
                "source": consent.source,
                "at": consent.at.isoformat(timespec="minutes"),
            }
            for consent in subscription.consents.order_by("pk")
        ],
    }


# --- What still waits in the intake ---------------------------------------------------------
def leave_erasure_note(index: AddressHash) -> None:
    """Leave the note; part of the erasure's transaction."""
    note = {"index": index.value.hex(), "before": timezone.now().isoformat()}
    sealed = seal_arrival(note)
    Intake.objects.create(kind=Intake.Kind.FORGET, sealed=sealed.value, sealing_key=sealed.key)


def erase_arrivals(note: dict[str, Any]) -> None:
    """Delete what arrived from this reader before the note. Needs a worker's keys."""
    index = bytes.fromhex(note["index"])
    before = datetime.fromisoformat(note["before"])
    waiting = Intake.objects.filter(received_at__lte=before).exclude(kind=Intake.Kind.FORGET)
    for arrival in waiting.iterator():
        if index in _indexes_in(arrival):
            arrival.delete()


def _indexes_in(arrival: Intake) -> set[bytes]:
    """The indexes of the address in an arrival; none where it cannot be opened, or has none."""
    try:
        data = open_arrival(Sealed(arrival.sealing_key, bytes(arrival.sealed)))
        address = normalise(data["address"])
    except (SealedError, AddressError, KeyError):
        return set()
    return {each.value for each in address_hashes(address)}


# --- How long rows are kept -----------------------------------------------------------------
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

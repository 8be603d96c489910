"""Export and erase one reader's data, and delete what is no longer needed (B9).

Each app that stores data about readers registers how to export and erase it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from subscribers.addresses import AddressError, normalise
from subscribers.audience import address_of
from subscribers.crypto.sealing import (
    AddressHash,
    Ciphertext,
    SealedError,
    address_hashes,
    open_intake,
    seal_intake,
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

Exporter = Callable[[Subscriber], dict[str, Any]]
"""It returns one app's data about a reader, as JSON data."""
Eraser = Callable[[Subscriber], None]
"""It leaves nothing of the reader in that app."""
Email = TransactionalEmail
UNCONFIRMED = timedelta(days=7)
ENDED_EMAILS = timedelta(days=30)
CHANGES = timedelta(days=4)
"""A day until the email is sent at the latest, two in which its link works, and one more."""
FINAL_STATES = (Email.State.SENT, Email.State.REFUSED, Email.State.FAILED, Email.State.DROPPED)


_sources: dict[str, tuple[Exporter, Eraser]] = {}


def register(name: str, *, export: Exporter, erase: Eraser) -> None:
    """Register an app's data under a name; called from an AppConfig's `ready`."""
    _sources[name] = (export, erase)


def export(subscriber: Subscriber) -> dict[str, Any]:
    """Return all data about a reader, by source. Needs the worker's keys to decrypt the address."""
    return {"address": address_of(subscriber), **export_without_address(subscriber)}


def export_without_address(subscriber: Subscriber) -> dict[str, Any]:
    """Return `export` without the address, which the web process can't decrypt."""
    return {name: export_from(subscriber) for name, (export_from, _erase) in _sources.items()}


@transaction.atomic
def erase(subscriber: Subscriber) -> None:
    """Erase a reader from every source, except for a keyed hash, a reason and a date. They keep an
    import from bringing the reader back; a new sign-up lifts them."""
    hashed = AddressHash(subscriber.address_hash_key, bytes(subscriber.address_hash))
    erase_without_trace(subscriber)
    suppress(hashed, Suppression.Reason.ERASED)
    # The web process can't open what waits in the intake, so it leaves a note for a worker.
    note = {"index": hashed.digest.hex(), "before": timezone.now().isoformat()}
    key_number, sealed = seal_intake(note)
    Intake.objects.create(kind=Intake.Kind.ERASURE, sealed=sealed, sealing_key=key_number)


@transaction.atomic
def erase_without_trace(subscriber: Subscriber) -> None:
    """Erase a reader from every source, without leaving even a hash."""
    for _export, erase_from in _sources.values():
        erase_from(subscriber)
    subscriber.delete()


def erase_from_intake(note: dict[str, Any]) -> None:
    """Delete the intake items with an erased reader's address that were received before the
    erasure. Needs the worker's keys."""
    digest = bytes.fromhex(note["index"])
    before = datetime.fromisoformat(note["before"])
    items = Intake.objects.filter(received_at__lte=before).exclude(kind=Intake.Kind.ERASURE)
    for item in items.iterator():
        try:
            data = open_intake(Ciphertext(item.sealing_key, bytes(item.sealed)))
            address = normalise(data["address"])
        except (SealedError, AddressError, KeyError):
            continue
        if digest in {each.digest for each in address_hashes(address)}:
            item.delete()


@transaction.atomic
def prune(at: datetime) -> int:
    """Delete sign-ups that were not confirmed within 7 days; return how many.

    A subscription that was confirmed in the past is unsubscribed again and keeps its evidence.
    Transactional emails are deleted after 30 days, unless they wait or their outcome is unknown.
    """
    before = at - UNCONFIRMED
    pending = Subscription.objects.filter(state=Subscription.State.PENDING).alias(
        requested_at=Max("consents__at", filter=Q(consents__action=Consent.Action.REQUESTED))
    )
    stale = pending.filter(
        Q(requested_at__lt=before) | Q(requested_at=None, created_on__lt=before.date())
    )
    ids = list(stale.values_list("pk", flat=True))
    found = Subscription.objects.filter(pk__in=ids)
    found.exclude(confirmed_on=None).update(state=Subscription.State.UNSUBSCRIBED)
    found.filter(confirmed_on=None).delete()
    # A subscriber without subscriptions may be a new address that waits to be confirmed.
    changes = Email.objects.filter(
        kind=Email.Kind.CHANGE, subscriber=OuterRef("pk"), due_at__gt=at - CHANGES
    )
    Subscriber.objects.filter(~Exists(changes), subscriptions=None).delete()
    Email.objects.filter(state__in=FINAL_STATES, created_at__lt=at - ENDED_EMAILS).delete()
    return len(ids)


# --- The data of this app ---------------------------------------------------------------------
def export_reader(subscriber: Subscriber) -> dict[str, Any]:
    """Return this app's data about a reader."""
    subscriptions = subscriber.subscriptions.select_related("newsletter").order_by("pk")
    return {
        "id": str(subscriber.public_id),
        "language": subscriber.language,
        "since": subscriber.created_on.isoformat(),
        "subscriptions": [_subscription(each) for each in subscriptions],
        "emails": [
            {"kind": email.kind, "state": email.state, "on": email.created_at.date().isoformat()}
            for email in subscriber.transactional_emails.order_by("pk")
        ],
    }


def erase_reader(subscriber: Subscriber) -> None:
    """Delete this app's rows about a reader; `on_delete=CASCADE` deletes those below them."""
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
        "consents": [consent.evidence() for consent in subscription.consents.order_by("pk")],
    }

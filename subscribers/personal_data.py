"""What we hold of one reader: exported, and erased (B9).

Each app that holds something registers its part; this app its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from subscribers import erasure
from subscribers.audience import address_of
from subscribers.crypto.sealing import AddressHash
from subscribers.models import Subscriber, Subscription, Suppression
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
    erasure.leave_erasure_note(index)


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

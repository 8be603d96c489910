"""What a reader asks for by giving an address: a link to everything of theirs, or another address.

A worker's part: it takes the keys. A change of address has three steps: asked for with a fresh
link, confirmed at the new address, and carried out. The reader stays the same row with the same
id, so that no issue that is being sent reaches them at both addresses.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, IntegerField, Value, When

from subscribers import personal_data
from subscribers.addresses import Address, mailbox_provider_of, normalise
from subscribers.audience import address_of
from subscribers.consent import record
from subscribers.crypto.rotation import current_hash_of
from subscribers.crypto.sealing import seal_address
from subscribers.lifecycle import reader_with
from subscribers.models import Consent, Subscriber, Subscription, TransactionalEmail
from subscribers.suppression import is_suppressed
from subscribers.transactional.queue import ONE_HOUR, queue_confirmation, queue_rarely

State = Subscription.State


@transaction.atomic
def queue_link(address: Address) -> None:
    """Queue the letter with a fresh link, if there is a reader with this address; once an hour."""
    reader = Subscriber.objects.filter(address_hash=current_hash_of(address).value).first()
    if reader is None or is_suppressed(reader):
        return
    subscription = _foremost(reader)
    if subscription is not None:
        queue_rarely(TransactionalEmail.Kind.LINK, subscription, once_in=ONE_HOUR)


@transaction.atomic
def change_address(address: Address, *, subscription_id: int) -> None:
    """Ask at the new address whether its owner wants the old one's mail."""
    subscription = (
        Subscription.objects.select_related("subscriber").filter(pk=subscription_id).first()
    )
    index = current_hash_of(address)
    if subscription is None or bytes(subscription.subscriber.address_hash) == index.value:
        return
    new = reader_with(address, index, subscription.subscriber.language)
    if not is_suppressed(new):
        queue_confirmation(TransactionalEmail.Kind.CHANGE, subscription, new)


@transaction.atomic
def apply_change(email_id: int) -> bool:
    """The new address was confirmed: the reader is known by it from now on, and whoever was known
    by it before is one with them. Says whether there was something to do."""
    email = TransactionalEmail.objects.filter(
        pk=email_id, kind=TransactionalEmail.Kind.CHANGE
    ).first()
    subscription = subscription_of_change(email) if email else None
    if email is None or subscription is None or is_suppressed(email.subscriber):
        return False
    reader, other = subscription.subscriber, email.subscriber
    address = normalise(address_of(other))
    index = current_hash_of(address)
    _take_over(reader, other)
    personal_data.erase_without_trace(other)
    sealed = seal_address(address, reader.public_id)
    reader.sealed_address, reader.storage_key = sealed.value, sealed.key
    reader.address_hash, reader.address_hash_key = index.value, index.key
    reader.save(update_fields=["sealed_address", "storage_key", "address_hash", "address_hash_key"])
    reader.subscriptions.update(mailbox_provider=mailbox_provider_of(address.domain))
    record(subscription, Consent.Action.CHANGED, language=reader.language)
    return True


def subscription_of_change(email: TransactionalEmail) -> Subscription | None:
    """The subscription whose reader asked for the change; None where it is gone."""
    return (
        Subscription.objects.select_related("subscriber", "newsletter")
        .filter(pk=int(email.about))
        .exclude(subscriber=email.subscriber_id)
        .first()
    )


def _take_over(reader: Subscriber, other: Subscriber) -> None:
    """What the other was subscribed to and the reader never was."""
    own = reader.subscriptions.values_list("newsletter_id", flat=True)
    other.subscriptions.filter(state=State.ACTIVE).exclude(newsletter_id__in=list(own)).update(
        subscriber=reader
    )


def _foremost(reader: Subscriber) -> Subscription | None:
    """One of the reader's subscriptions, an active one if there is any: its newsletter sends."""
    rank = Case(
        When(state=State.ACTIVE, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return reader.subscriptions.select_related("subscriber").order_by(rank, "pk").first()

"""Email an account link, or move a reader to another address. Needs the worker's keys.

A change of address is requested with an account link, confirmed at the new address, and then
carried out. The reader keeps their row and ID, so an issue that is being sent can't reach both
addresses.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, IntegerField, Value, When

from subscribers import personal_data
from subscribers.addresses import Address, mailbox_provider_of, parse_stored
from subscribers.audience import address_of
from subscribers.consent import record_consent
from subscribers.crypto.rotation import current_hash_of
from subscribers.crypto.sealing import seal_address
from subscribers.lifecycle import get_or_create_reader
from subscribers.models import Consent, Subscriber, Subscription, TransactionalEmail
from subscribers.transactional.queue import ONE_HOUR, queue_confirmation, queue_once_per

State, Kind = Subscription.State, TransactionalEmail.Kind


@transaction.atomic
def queue_account_link(address: Address) -> None:
    """Queue an account link for the reader with this address, at most once an hour."""
    reader = Subscriber.objects.filter(address_hash=current_hash_of(address).digest).first()
    if reader is None or reader.is_suppressed():
        return
    # The subscription's newsletter is the sender: prefer one that the reader gets.
    rank = Case(
        When(state=State.ACTIVE, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    rows = reader.subscriptions.select_related("subscriber")
    if subscription := rows.order_by(rank, "pk").first():
        queue_once_per(Kind.LINK, subscription, once_in=ONE_HOUR)


@transaction.atomic
def change_address(address: Address, *, subscription_id: int) -> None:
    """Ask the owner of the new address to confirm the change."""
    rows = Subscription.objects.select_related("subscriber")
    subscription = rows.filter(pk=subscription_id).first()
    hashed = current_hash_of(address)
    if subscription is None or bytes(subscription.subscriber.address_hash) == hashed.digest:
        return
    recipient = get_or_create_reader(address, hashed, subscription.subscriber.language)
    if not recipient.is_suppressed():
        queue_confirmation(Kind.CHANGE, subscription, recipient)


@transaction.atomic
def complete_change(email_id: int) -> bool:
    """Move the reader to the address that was confirmed; return whether anything changed.

    A reader who had the new address before is merged into this one.
    """
    email = TransactionalEmail.objects.filter(pk=email_id, kind=Kind.CHANGE).first()
    subscription = email.subscription() if email else None
    if email is None or subscription is None or email.subscriber.is_suppressed():
        return False
    reader, other = subscription.subscriber, email.subscriber
    address = parse_stored(address_of(other))
    _move_active_subscriptions(other, reader)
    personal_data.erase_without_trace(other)
    reader.storage_key, reader.sealed_address = seal_address(address, reader.public_id)
    reader.address_hash_key, reader.address_hash = current_hash_of(address)
    reader.save(update_fields=["sealed_address", "storage_key", "address_hash", "address_hash_key"])
    reader.subscriptions.update(mailbox_provider=mailbox_provider_of(address.domain))
    record_consent(subscription, Consent.Action.CHANGED, language=reader.language)
    return True


def _move_active_subscriptions(source: Subscriber, target: Subscriber) -> None:
    """Move active subscriptions to newsletters that `target` was never subscribed to."""
    known = list(target.subscriptions.values_list("newsletter_id", flat=True))
    rows = source.subscriptions.filter(state=State.ACTIVE).exclude(newsletter_id__in=known)
    rows.update(subscriber=target)

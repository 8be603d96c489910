"""What a reader asks for by giving an address: a link to everything of theirs, or another address.

A worker's part: it takes the keys. A change of address has three steps: asked for with a fresh
link, confirmed at the new address, and carried out. The reader stays the same row with the same
id, so that no issue that is being sent reaches them at both addresses.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, IntegerField, Value, When

from subscribers import personal_data
from subscribers.addresses import Address, normalise
from subscribers.audience import address_of
from subscribers.consent import record
from subscribers.lifecycle import reader_with
from subscribers.mailboxes import mailbox_of
from subscribers.models import Consent, Letter, Subscriber, Subscription
from subscribers.queue import ONE_HOUR, queue_confirmation, queue_rarely
from subscribers.rotation import index_known
from subscribers.sealing import seal_address
from subscribers.suppression import is_suppressed

State = Subscription.State


@transaction.atomic
def link(address: Address) -> None:
    """Queue the letter with a fresh link, if there is a reader with this address; once an hour."""
    reader = Subscriber.objects.filter(index=index_known(address).value).first()
    if reader is None or is_suppressed(reader):
        return
    subscription = _foremost(reader)
    if subscription is not None:
        queue_rarely(Letter.Kind.LINK, subscription, once_in=ONE_HOUR)


@transaction.atomic
def change_address(address: Address, *, subscription_id: int) -> None:
    """Ask at the new address whether its owner wants the old one's mail."""
    subscription = (
        Subscription.objects.select_related("subscriber").filter(pk=subscription_id).first()
    )
    index = index_known(address)
    if subscription is None or bytes(subscription.subscriber.index) == index.value:
        return
    new = reader_with(address, index, subscription.subscriber.language)
    if not is_suppressed(new):
        queue_confirmation(Letter.Kind.CHANGE, subscription, new)


@transaction.atomic
def move(letter_id: int) -> bool:
    """The new address was confirmed: the reader is known by it from now on, and whoever was known
    by it before is one with them. Says whether there was something to do."""
    letter = Letter.objects.filter(pk=letter_id, kind=Letter.Kind.CHANGE).first()
    subscription = subscription_of_change(letter) if letter else None
    if letter is None or subscription is None or is_suppressed(letter.subscriber):
        return False
    reader, other = subscription.subscriber, letter.subscriber
    address = normalise(address_of(other))
    index = index_known(address)
    _take_over(reader, other)
    personal_data.forget(other)
    sealed = seal_address(address, reader.public_id)
    reader.sealed_address, reader.storage_key = sealed.value, sealed.key
    reader.index, reader.index_key = index.value, index.key
    reader.save(update_fields=["sealed_address", "storage_key", "index", "index_key"])
    reader.subscriptions.update(mailbox=mailbox_of(address.domain))
    record(subscription, Consent.Action.CHANGED, language=reader.language)
    return True


def subscription_of_change(letter: Letter) -> Subscription | None:
    """The subscription whose reader asked for the change; None where it is gone."""
    return (
        Subscription.objects.select_related("subscriber", "newsletter")
        .filter(pk=int(letter.about))
        .exclude(subscriber=letter.subscriber_id)
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

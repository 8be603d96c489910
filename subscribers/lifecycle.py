"""A subscription's life: asked for, confirmed, changed, left, taken up again.

`request`, `add_confirmed` need a worker's keys; all else goes by ids and runs in the web process.
Each function is one transaction, and leaves evidence (Consent) of what the reader did.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editorial.models import Newsletter
from newsletter.lib.languages import language_name
from subscribers.addresses import Address, mailbox_provider_of, normalise
from subscribers.consent import consent_text, record
from subscribers.crypto.rotation import current_hash_of
from subscribers.crypto.sealing import AddressHash, seal_address
from subscribers.models import (
    Consent,
    Subscriber,
    Subscription,
    TransactionalEmail,
    UnsubscribeReason,
)
from subscribers.suppression import is_lasting, is_suppressed, lift_erasure
from subscribers.transactional.queue import ONE_DAY, drop_queued, queue_confirmation, queue_rarely

log = logging.getLogger(__name__)

UNDO_DAYS = 1


class LifecycleError(Exception):
    """What was asked cannot be done; the text says why, translated."""


class NotOffered(LifecycleError):  # noqa: N818 - names the condition
    """A language that the newsletter has not."""


class Suppressed(LifecycleError):  # noqa: N818 - names the condition
    """The address bounced or complained."""


class Confirmation(Enum):
    """What a confirmation came to."""

    NOW = "now"
    ALREADY = "already"
    GONE = "gone"
    """Nothing waits for it: pruned, erased, left meanwhile, or suppressed."""


@dataclass(frozen=True)
class SignupRequest:
    """What somebody asked for on the form; `wording` is the text by its button."""

    newsletter_id: int
    languages: tuple[str, ...]
    page_language: str
    wording: str
    asked_at: datetime
    discreet: bool = False


# --- With an address --------------------------------------------------------------------------
@transaction.atomic
def request(address: Address, wish: SignupRequest) -> None:
    """Somebody asked for the newsletter on the form: queue the letter that this address gets,
    which may be none (B1, B4). Nothing is told to the one who asked."""
    index = current_hash_of(address)
    if is_lasting(index.value):
        return
    subscriber = reader_with(address, index, wish.page_language)
    subscription, _ = Subscription.objects.get_or_create(
        subscriber=subscriber,
        newsletter_id=wish.newsletter_id,
        defaults={
            "languages": wish.languages,
            "mailbox_provider": mailbox_provider_of(address.domain),
        },
    )
    if subscription.state == Subscription.State.ACTIVE:
        queue_rarely(TransactionalEmail.Kind.ALREADY, subscription, once_in=ONE_DAY)
        return
    subscription.state = Subscription.State.PENDING
    subscription.languages = wish.languages
    subscription.discreet = wish.discreet
    subscription.save(update_fields=["state", "languages", "discreet"])
    if not subscriber.subscriptions.exclude(confirmed_on=None).exists():
        # Nobody proved to be the owner yet: the newest spelling and language count.
        _reseal(subscriber, address, wish.page_language)
    record(
        subscription,
        Consent.Action.REQUESTED,
        wording=wish.wording,
        language=wish.page_language,
        at=wish.asked_at,
    )
    queue_confirmation(TransactionalEmail.Kind.CONFIRMATION, subscription, subscriber)


@transaction.atomic
def add_confirmed(
    address: Address | str,
    *,
    newsletter: Newsletter,
    languages: Sequence[str],
    page_language: str,
    source: str,
) -> Subscription:
    """Add a reader whose consent the operator vouches for; no letter is sent.

    A reader who is there already gets these languages, and is active again. Raises AddressError,
    NotOffered, Suppressed, SealedError.
    """
    address = normalise(address) if isinstance(address, str) else address
    chain = offered(newsletter, languages)
    index = current_hash_of(address)
    if is_lasting(index.value):
        raise Suppressed(_("Emails to this address have bounced or were reported as spam."))
    subscriber = reader_with(address, index, page_language)
    today = timezone.now().date()
    subscription, _created = Subscription.objects.update_or_create(
        subscriber=subscriber,
        newsletter=newsletter,
        defaults={
            "languages": chain,
            "state": Subscription.State.ACTIVE,
            "source": source,
            "mailbox_provider": mailbox_provider_of(address.domain),
            "confirmed_on": today,
            "unsubscribed_on": None,
        },
    )
    lift_erasure(index.value)
    record(
        subscription,
        Consent.Action.RECORDED,
        wording=consent_text(newsletter, page_language),
        language=page_language,
    )
    return subscription


# --- By id ------------------------------------------------------------------------------------
@transaction.atomic
def confirm(subscription_id: int) -> Confirmation:
    """The owner of the address pressed the button (B2)."""
    waiting = Subscription.objects.filter(pk=subscription_id, state=Subscription.State.PENDING)
    subscription = _locked(subscription_id)
    if subscription is None or is_suppressed(subscription.subscriber):
        return Confirmation.GONE
    today = timezone.now().date()
    changed = waiting.update(
        state=Subscription.State.ACTIVE, confirmed_on=today, unsubscribed_on=None
    )
    if not changed:
        is_active = subscription.state == Subscription.State.ACTIVE
        return Confirmation.ALREADY if is_active else Confirmation.GONE
    lift_erasure(bytes(subscription.subscriber.address_hash))
    asked = subscription.consents.filter(action=Consent.Action.REQUESTED).order_by("-pk").first()
    record(
        subscription,
        Consent.Action.CONFIRMED,
        wording=asked.wording if asked else "",
        language=asked.language if asked else subscription.subscriber.language,
    )
    log.info("confirm", extra={"subscription": subscription_id})
    return Confirmation.NOW


@transaction.atomic
def change(subscription_id: int, *, page_language: str, **choices: Any) -> None:
    """The reader changed their choices: any of Subscription's columns, by name."""
    subscription = _locked(subscription_id)
    if subscription is None:
        return
    for name, value in choices.items():
        setattr(subscription, name, value)
    subscription.save(update_fields=list(choices))
    Subscriber.objects.filter(pk=subscription.subscriber_id).update(language=page_language)
    record(subscription, Consent.Action.CHANGED, language=page_language)


@transaction.atomic
def unsubscribe(subscription_id: int) -> bool:
    """The reader leaves. Idempotent; says whether this call changed it.

    Once this has committed, the second read of a send-out leaves the reader out (P2),
    and letters that wait are dropped.
    """
    return _leave(subscription_id, at=timezone.now())


@transaction.atomic
def unsubscribe_from_all(subscription_id: int) -> list[int]:
    """The reader of this subscription leaves every newsletter; gives the ids of the subscriptions
    that this call ended."""
    own = Subscription.objects.filter(subscriber__subscriptions=subscription_id).order_by("pk")
    at = timezone.now()
    return [pk for pk in own.values_list("pk", flat=True) if _leave(pk, at=at)]


def _leave(subscription_id: int, *, at: datetime) -> bool:
    changed = (
        Subscription.objects.filter(pk=subscription_id)
        .exclude(state=Subscription.State.UNSUBSCRIBED)
        .update(state=Subscription.State.UNSUBSCRIBED, unsubscribed_on=at.date())
    )
    if not changed:
        return False
    subscription = Subscription.objects.select_related("subscriber").get(pk=subscription_id)
    language = subscription.subscriber.language
    record(subscription, Consent.Action.UNSUBSCRIBED, language=language, at=at)
    drop_queued(subscriber=subscription.subscriber_id, newsletter=subscription.newsletter_id)
    return True


@transaction.atomic
def count_departure(subscription_ids: Sequence[int], reason: str) -> None:
    """Count why readers left, apart from who they are."""
    year = timezone.now().year
    newsletters = Subscription.objects.filter(pk__in=subscription_ids).values_list("newsletter")
    for (newsletter_id,) in newsletters:
        counted, _new = UnsubscribeReason.objects.get_or_create(
            newsletter_id=newsletter_id, year=year, reason=reason
        )
        UnsubscribeReason.objects.filter(pk=counted.pk).update(readers=F("readers") + 1)


@transaction.atomic
def resubscribe(subscription_id: int) -> bool:
    """Undo of `unsubscribe`, from its page; says whether the reader is subscribed now.

    For a day: the link to leave is in each mail, and a mail is passed on.
    """
    subscription = _locked(subscription_id)
    if subscription is None or not can_undo(subscription):
        return subscription is not None and subscription.state == Subscription.State.ACTIVE
    subscription.state = Subscription.State.ACTIVE
    subscription.unsubscribed_on = None
    subscription.save(update_fields=["state", "unsubscribed_on"])
    record(subscription, Consent.Action.CONFIRMED, language=subscription.subscriber.language)
    return True


@transaction.atomic
def resubscribe_to_all(subscription_id: int) -> bool:
    """Undo of `unsubscribe_from_all`: this subscription, and those that ended with it."""
    subscription = _locked(subscription_id)
    if subscription is None:
        return False
    left_at = _left_at(subscription)
    others = subscription.subscriber.subscriptions.exclude(pk=subscription_id)
    for other in others.filter(state=Subscription.State.UNSUBSCRIBED):
        if left_at is not None and _left_at(other) == left_at:
            resubscribe(other.pk)
    return resubscribe(subscription_id)


def _left_at(subscription: Subscription) -> datetime | None:
    left = subscription.consents.filter(action=Consent.Action.UNSUBSCRIBED).order_by("-pk").first()
    return left.at if left else None


def can_undo(subscription: Subscription) -> bool:
    """Whether the reader left just now, and had confirmed before."""
    since = subscription.unsubscribed_on
    return (
        subscription.state == Subscription.State.UNSUBSCRIBED
        and subscription.confirmed_on is not None
        and since is not None
        and since >= timezone.now().date() - timedelta(days=UNDO_DAYS)
        and not is_suppressed(subscription.subscriber)
    )


def offered(newsletter: Newsletter, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages as a chain, none twice. Raises NotOffered."""
    chain = tuple(dict.fromkeys(languages))
    unknown = [code for code in chain if code not in newsletter.languages]
    if unknown or not chain:
        raise NotOffered(
            _("“%(newsletter)s” isn’t available in %(unknown)s. Its languages: %(languages)s.")
            % {
                "newsletter": newsletter.slug,
                "unknown": ", ".join(unknown) or "–",
                "languages": ", ".join(f"{c} ({language_name(c)})" for c in newsletter.languages),
            }
        )
    return chain


# --- Steps ------------------------------------------------------------------------------------
def reader_with(address: Address, index: AddressHash, language: str) -> Subscriber:
    """The reader with this address, made if there is none."""
    subscriber = Subscriber.objects.filter(address_hash=index.value).first()
    if subscriber is None:
        subscriber = Subscriber(
            address_hash=index.value, address_hash_key=index.key, language=language
        )
        sealed = seal_address(address, subscriber.public_id)
        subscriber.sealed_address, subscriber.storage_key = sealed.value, sealed.key
        subscriber.save()
    return subscriber


def _reseal(subscriber: Subscriber, address: Address, language: str) -> None:
    sealed = seal_address(address, subscriber.public_id)
    subscriber.sealed_address, subscriber.storage_key = sealed.value, sealed.key
    subscriber.language = language
    subscriber.save(update_fields=["sealed_address", "storage_key", "language"])


def _locked(subscription_id: int) -> Subscription | None:
    return (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("subscriber")
        .filter(pk=subscription_id)
        .first()
    )

"""The life of a subscription: sign up, confirm, change, unsubscribe, resubscribe.

`sign_up` and `add_confirmed` need the worker's keys. The others take IDs and run in the web
process. Each function is one transaction and records what the reader did as Consent.
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
from subscribers.consent import consent_text, record_consent
from subscribers.crypto.rotation import current_hash_of
from subscribers.crypto.sealing import AddressHash, seal_address
from subscribers.models import (
    Consent,
    Subscriber,
    Subscription,
    Suppression,
    TransactionalEmail,
    UnsubscribeReason,
)
from subscribers.suppression import lift_erasure
from subscribers.transactional.queue import ONE_DAY, drop_queued, queue_confirmation, queue_once_per

log = logging.getLogger(__name__)
State, Action = Subscription.State, Consent.Action


class LifecycleError(Exception):
    """The request can't be carried out. The message says why, translated."""


class LanguageUnavailableError(LifecycleError):
    """The newsletter isn't published in this language."""


class SuppressedError(LifecycleError):
    """Emails to the address bounced or were reported as spam."""


class Confirmation(Enum):
    """The result of a confirmation."""

    CONFIRMED = "confirmed"
    ALREADY_CONFIRMED = "already-confirmed"
    GONE = "gone"
    """Nothing waits for it: pruned, erased, unsubscribed or suppressed."""


@dataclass(frozen=True)
class SignupRequest:
    """A request from the sign-up form. `wording` is the consent text beside its button."""

    newsletter_id: int
    languages: tuple[str, ...]
    page_language: str
    wording: str
    asked_at: datetime
    discreet: bool = False


# --- By address -------------------------------------------------------------------------------
@transaction.atomic
def sign_up(address: Address, signup: SignupRequest) -> None:
    """Queue the email that this address gets in reply to a sign-up, if any (B1, B4). The page never
    shows the outcome, because anyone can enter anyone's address."""
    hashed = current_hash_of(address)
    if Suppression.blocks(hashed.digest):
        return
    reader = get_or_create_reader(address, hashed, signup.page_language)
    same = reader.subscriptions.filter(newsletter=signup.newsletter_id)
    if active := same.filter(state=State.ACTIVE).first():
        queue_once_per(TransactionalEmail.Kind.ALREADY, active, once_in=ONE_DAY)
        return
    subscription, _created = reader.subscriptions.update_or_create(
        newsletter_id=signup.newsletter_id,
        defaults={
            "state": State.PENDING,
            "languages": signup.languages,
            "discreet": signup.discreet,
            "mailbox_provider": mailbox_provider_of(address.domain),
        },
    )
    if not reader.subscriptions.exclude(confirmed_on=None).exists():
        # Nobody has proved to own the address yet, so the latest spelling and language count.
        reader.storage_key, reader.sealed_address = seal_address(address, reader.public_id)
        reader.language = signup.page_language
        reader.save(update_fields=["sealed_address", "storage_key", "language"])
    record_consent(
        subscription,
        Action.REQUESTED,
        wording=signup.wording,
        language=signup.page_language,
        at=signup.asked_at,
    )
    queue_confirmation(TransactionalEmail.Kind.CONFIRMATION, subscription, reader)


@transaction.atomic
def add_confirmed(
    address: Address | str,
    *,
    newsletter: Newsletter,
    languages: Sequence[str],
    page_language: str,
    source: str,
) -> Subscription:
    """Add a reader whose consent the operator vouches for, without sending an email.

    An existing reader gets these languages and is active again. Raises AddressError,
    LanguageUnavailableError, SuppressedError or SealedError.
    """
    address = normalise(address) if isinstance(address, str) else address
    chain = checked_languages(newsletter, languages)
    hashed = current_hash_of(address)
    if Suppression.blocks(hashed.digest):
        raise SuppressedError(_("Emails to this address have bounced or were reported as spam."))
    subscription, _created = Subscription.objects.update_or_create(
        subscriber=get_or_create_reader(address, hashed, page_language),
        newsletter=newsletter,
        defaults={
            "languages": chain,
            "state": State.ACTIVE,
            "source": source,
            "mailbox_provider": mailbox_provider_of(address.domain),
            "confirmed_on": timezone.now().date(),
            "unsubscribed_on": None,
        },
    )
    lift_erasure(hashed.digest)
    wording = consent_text(newsletter, page_language)
    record_consent(subscription, Action.RECORDED, wording=wording, language=page_language)
    return subscription


def get_or_create_reader(address: Address, hashed: AddressHash, language: str) -> Subscriber:
    """Return the reader with this address. A new one gets `language`."""
    reader = Subscriber.objects.filter(address_hash=hashed.digest).first()
    if reader is None:
        reader = Subscriber(
            address_hash=hashed.digest, address_hash_key=hashed.key_number, language=language
        )
        reader.storage_key, reader.sealed_address = seal_address(address, reader.public_id)
        reader.save()
    return reader


def checked_languages(newsletter: Newsletter, languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages without repetitions. Raises LanguageUnavailableError."""
    chain = tuple(dict.fromkeys(languages))
    unknown = [code for code in chain if code not in newsletter.languages]
    if unknown or not chain:
        raise LanguageUnavailableError(
            _("“%(newsletter)s” isn’t available in %(unknown)s. Its languages: %(languages)s.")
            % {
                "newsletter": newsletter.slug,
                "unknown": ", ".join(unknown) or "–",
                "languages": ", ".join(f"{c} ({language_name(c)})" for c in newsletter.languages),
            }
        )
    return chain


# --- By ID ------------------------------------------------------------------------------------
@transaction.atomic
def confirm(subscription_id: int) -> Confirmation:
    """Activate a subscription whose reader pressed the button on the confirmation page (B2)."""
    subscription = _locked(subscription_id)
    if subscription is None or subscription.subscriber.is_suppressed():
        return Confirmation.GONE
    changed = Subscription.objects.filter(pk=subscription_id, state=State.PENDING).update(
        state=State.ACTIVE, confirmed_on=timezone.now().date(), unsubscribed_on=None
    )
    if not changed:
        is_active = subscription.state == State.ACTIVE
        return Confirmation.ALREADY_CONFIRMED if is_active else Confirmation.GONE
    lift_erasure(bytes(subscription.subscriber.address_hash))
    request = _last_consent(subscription, Action.REQUESTED)
    record_consent(
        subscription,
        Action.CONFIRMED,
        wording=request.wording if request else "",
        language=request.language if request else subscription.subscriber.language,
    )
    log.info("confirm", extra={"subscription": subscription_id})
    return Confirmation.CONFIRMED


@transaction.atomic
def change(subscription_id: int, *, page_language: str, **choices: Any) -> None:
    """Store the reader's preferences: any columns of Subscription, by name."""
    subscription = _locked(subscription_id)
    if subscription is None:
        return
    Subscription.objects.filter(pk=subscription_id).update(**choices)
    Subscriber.objects.filter(pk=subscription.subscriber_id).update(language=page_language)
    record_consent(subscription, Action.CHANGED, language=page_language)


@transaction.atomic
def unsubscribe(subscription_id: int, *, at: datetime | None = None) -> bool:
    """Unsubscribe the reader; return whether this call did it. Idempotent. Once it has committed, a
    mailing's second read leaves the reader out (P2), and their queued emails are dropped."""
    at = at or timezone.now()
    subscription = _locked(subscription_id)
    if subscription is None or subscription.state == State.UNSUBSCRIBED:
        return False
    subscription.state, subscription.unsubscribed_on = State.UNSUBSCRIBED, at.date()
    subscription.save(update_fields=["state", "unsubscribed_on"])
    language = subscription.subscriber.language
    record_consent(subscription, Action.UNSUBSCRIBED, language=language, at=at)
    drop_queued(subscriber=subscription.subscriber_id, newsletter=subscription.newsletter_id)
    return True


@transaction.atomic
def unsubscribe_from_all(subscription_id: int) -> list[int]:
    """Unsubscribe this subscription's reader from every newsletter; return the IDs of the
    subscriptions that this call ended."""
    own = Subscription.objects.filter(subscriber__subscriptions=subscription_id).order_by("pk")
    at = timezone.now()
    return [pk for pk in own.values_list("pk", flat=True) if unsubscribe(pk, at=at)]


@transaction.atomic
def count_unsubscribe_reason(subscription_ids: Sequence[int], reason: str) -> None:
    """Count why readers unsubscribed, without linking the reason to a reader."""
    newsletters = Subscription.objects.filter(pk__in=subscription_ids).values_list("newsletter")
    for (newsletter_id,) in newsletters:
        UnsubscribeReason.objects.update_or_create(
            newsletter_id=newsletter_id,
            year=timezone.now().year,
            reason=reason,
            defaults={"readers": F("readers") + 1},
            create_defaults={"readers": 1},
        )


@transaction.atomic
def resubscribe(subscription_id: int) -> bool:
    """Undo `unsubscribe` from its page; return whether the reader is subscribed now. It works for a
    day, because the unsubscribe link is in each email and emails get forwarded."""
    subscription = _locked(subscription_id)
    if subscription is None or not can_undo(subscription):
        return subscription is not None and subscription.state == State.ACTIVE
    subscription.state, subscription.unsubscribed_on = State.ACTIVE, None
    subscription.save(update_fields=["state", "unsubscribed_on"])
    record_consent(subscription, Action.CONFIRMED, language=subscription.subscriber.language)
    return True


@transaction.atomic
def resubscribe_to_all(subscription_id: int) -> bool:
    """Undo `unsubscribe_from_all` for this subscription and those that ended with it."""
    subscription = _locked(subscription_id)
    if subscription is None:
        return False
    unsubscribed = _last_consent(subscription, Action.UNSUBSCRIBED)
    others = subscription.subscriber.subscriptions.exclude(pk=subscription_id)
    for other in others.filter(state=State.UNSUBSCRIBED):
        theirs = _last_consent(other, Action.UNSUBSCRIBED)
        if unsubscribed and theirs and theirs.at == unsubscribed.at:
            resubscribe(other.pk)
    return resubscribe(subscription_id)


def can_undo(subscription: Subscription) -> bool:
    """Return whether the reader unsubscribed within a day, and had confirmed before."""
    since = subscription.unsubscribed_on
    return (
        subscription.state == State.UNSUBSCRIBED
        and subscription.confirmed_on is not None
        and since is not None
        and since >= timezone.now().date() - timedelta(days=1)
        and not subscription.subscriber.is_suppressed()
    )


def _last_consent(subscription: Subscription, action: str) -> Consent | None:
    return subscription.consents.filter(action=action).order_by("-pk").first()


def _locked(subscription_id: int) -> Subscription | None:
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("subscriber")
    return rows.filter(pk=subscription_id).first()

"""Take requests that contain an address: the web process encrypts them, a worker acts on them.

The web process treats every address the same and knows nothing about it (B1). A worker deletes an
intake item in the transaction in which it acts on it, so an item whose handling was interrupted is
handled again from the start.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from newsletter.editorial.models import Newsletter
from newsletter.lib import prepared_statements
from subscribers import lifecycle, personal_data
from subscribers.addresses import Address, mailbox_provider_of, normalise, parse_stored
from subscribers.antiabuse import rate_limits
from subscribers.audience import address_of
from subscribers.consent import consent_text, record_consent
from subscribers.crypto.rotation import current_hash_of
from subscribers.crypto.sealing import (
    Ciphertext,
    KeyMissingError,
    open_intake,
    seal_address,
    seal_intake,
    worker_keys,
)
from subscribers.models import Consent, Intake, Subscriber, Subscription, TransactionalEmail
from subscribers.transactional.queue import ONE_HOUR, queue_confirmation, queue_once_per

log = logging.getLogger(__name__)
Kind, EmailKind, State = Intake.Kind, TransactionalEmail.Kind, Subscription.State

ATTEMPTS = 5
RETRY_AFTER = timedelta(minutes=1)


class RateLimitError(Exception):
    """A domain has had its sign-ups of this hour; the item waits."""


# --- In the web process -----------------------------------------------------------------------
def receive_sign_up(
    address: Address,
    *,
    newsletter: Newsletter,
    languages: tuple[str, ...],
    page_language: str,
    discreet: bool = False,
) -> None:
    """Store a sign-up for a worker."""
    data = {
        "address": address.email,
        "newsletter": newsletter.pk,
        "languages": languages,
        "page_language": page_language,
        "discreet": discreet,
        "wording": consent_text(newsletter, page_language),
        "at": timezone.now().isoformat(timespec="minutes"),
    }
    receive(Kind.SIGN_UP, data)


def receive_link_request(address: Address) -> None:
    """Store a request for an account link."""
    receive(Kind.LINK, {"address": address.email})


def receive_change(address: Address, *, subscription_id: int) -> None:
    """Store the new address of a reader, to be confirmed there."""
    receive(Kind.CHANGE, {"address": address.email, "subscription": subscription_id})


def receive_confirmed_change(email_id: int) -> None:
    """Store the confirmation of a new address; only a worker can encrypt it for the database."""
    receive(Kind.CHANGE, {"confirmed": email_id})


def receive_email(raw: bytes, *, recipient: str) -> None:
    """Store an email that arrived, and the address that it was sent to, for a worker."""
    receive(Kind.MAIL, {"mail": b64encode(raw).decode(), "recipient": recipient})


def receive(kind: Intake.Kind, data: dict[str, Any]) -> None:
    """Seal and store an item. It is one statement, so the row is durable when this returns."""
    key_number, sealed = seal_intake(data)
    with prepared_statements.cursor() as cursor:
        cursor.execute(_INSERT[connection.vendor], [kind.value, sealed, key_number])


# The database's clock: a web server that is ahead of the workers mustn't hold up sign-ups (E8).
_INSERT = {
    vendor: f"""INSERT INTO subscribers_intake
    (kind, sealed, sealing_key, received_at, due_at, attempts)
    VALUES (%s, %s, %s, {now}, {now}, 0)"""  # noqa: S608 - built from constants
    for vendor, now in {
        "postgresql": "statement_timestamp()",
        "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
    }.items()
}


# --- In a worker ------------------------------------------------------------------------------
def drain(limit: int) -> int:
    """Act on up to `limit` items that are due, the oldest first; return how many were acted on.

    Raises SealedError, before it tries any, in a process that holds no worker keys."""
    worker_keys()
    due = _due().exclude(kind__in=_BULK_ACTIONS)
    left = rate_limits.confirmations_left()
    if left is not None and left < limit:
        # Sign-ups above the overall limit wait; none is lost (B4).
        sign_ups = due.filter(kind=Kind.SIGN_UP).values_list("pk", flat=True)[:left]
        due = due.exclude(kind=Kind.SIGN_UP) | due.filter(pk__in=list(sign_ups))
    return sum(_handle(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))


def drain_bulk(kind: Intake.Kind, *, limit: int, at_once: int) -> int:
    """Act on up to `limit` due items of a kind that has a bulk action; return how many.

    `at_once` items share a transaction. If it fails, each is tried alone, so that a bad item
    doesn't hold up the others.
    """
    worker_keys()
    done = 0
    while done < limit:
        ids = list(_due().filter(kind=kind).values_list("pk", flat=True)[:at_once])
        try:
            handled = _act_on_all(ids)
        except Exception:  # noqa: BLE001 - `_handle` defers the bad item, or waits for its key
            handled = sum(_handle(pk) for pk in ids)
        done += handled
        if not handled:
            break
    return done


def _due() -> QuerySet[Intake]:
    return Intake.objects.filter(due_at__lte=Now()).order_by("due_at", "pk")


@transaction.atomic
def _act_on_all(ids: list[int]) -> int:
    items = list(Intake.objects.select_for_update(skip_locked=True).filter(pk__in=ids))
    if items:
        opened = [open_intake(Ciphertext(each.sealing_key, bytes(each.sealed))) for each in items]
        _BULK_ACTIONS[Kind(items[0].kind)](opened)
        Intake.objects.filter(pk__in=[each.pk for each in items]).delete()
    return len(items)


def _handle(pk: int) -> bool:
    """Return whether this call acted on the item; another worker may have been first."""
    delay = RETRY_AFTER
    try:
        return _act(pk)
    except RateLimitError:
        delay = ONE_HOUR
    except KeyMissingError:
        # The new key of a rotation hasn't reached this host yet. The item waits, however long.
        log.error("intake-waits-for-key", extra={"item": pk})
    except Exception as error:  # noqa: BLE001 - one bad item mustn't stop the others
        # Only the type is logged: the message or traceback may contain the address.
        _defer(pk, type(error).__name__)
        return False
    Intake.objects.filter(pk=pk).update(due_at=Now() + delay)
    return False


@transaction.atomic
def _act(pk: int) -> bool:
    item = Intake.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if item is None:
        return False
    data = open_intake(Ciphertext(item.sealing_key, bytes(item.sealed)))
    _ACTIONS[Kind(item.kind)](data)
    item.delete()
    return True


@transaction.atomic
def _defer(pk: int, reason: str) -> None:
    """Retry with exponential backoff; give up after `ATTEMPTS`."""
    item = Intake.objects.select_for_update().filter(pk=pk).first()
    if item is None:
        return
    item.attempts += 1
    if item.attempts >= ATTEMPTS:
        log.error("intake-given-up", extra={"item": pk, "reason": reason})
        item.delete()
        return
    log.warning("intake-deferred", extra={"item": pk, "reason": reason})
    delay = RETRY_AFTER * 2**item.attempts
    Intake.objects.filter(pk=pk).update(attempts=item.attempts, due_at=Now() + delay)


def _sign_up(data: dict[str, Any]) -> None:
    newsletter = Newsletter.objects.get(pk=data["newsletter"])
    address = normalise(data["address"])
    if not rate_limits.domain_allowed(address.domain):
        raise RateLimitError
    signup = lifecycle.SignupRequest(
        newsletter_id=newsletter.pk,
        languages=lifecycle.checked_languages(newsletter, data["languages"]),
        page_language=data["page_language"],
        wording=data["wording"],
        asked_at=datetime.fromisoformat(data["at"]),
        discreet=data.get("discreet", False),
    )
    lifecycle.sign_up(address, signup)


def _queue_link(data: dict[str, Any]) -> None:
    """Queue an account link for the reader with this address, at most once an hour."""
    hashed = current_hash_of(normalise(data["address"]))
    reader = Subscriber.objects.filter(address_hash=hashed.digest).first()
    if reader is None or reader.is_suppressed():
        return
    # The subscription's newsletter is the sender: prefer one that the reader gets.
    own = reader.subscriptions.select_related("subscriber")
    first = min(own, key=lambda each: (each.state != State.ACTIVE, each.pk), default=None)
    if first:
        queue_once_per(EmailKind.LINK, first, once_in=ONE_HOUR)


# --- A change of address ----------------------------------------------------------------------
# It is requested with an account link, confirmed at the new address, and then carried out. The
# reader keeps their row and ID, so an issue that is being sent can't reach both addresses.
def _change(data: dict[str, Any]) -> None:
    if "confirmed" in data:
        _complete_change(data["confirmed"])
    else:
        _request_change(normalise(data["address"]), data["subscription"])


def _request_change(address: Address, subscription_id: int) -> None:
    """Ask the owner of the new address to confirm the change."""
    rows = Subscription.objects.select_related("subscriber")
    subscription = rows.filter(pk=subscription_id).first()
    hashed = current_hash_of(address)
    if subscription is None or bytes(subscription.subscriber.address_hash) == hashed.digest:
        return
    recipient = lifecycle.get_or_create_reader(address, hashed, subscription.subscriber.language)
    if not recipient.is_suppressed():
        queue_confirmation(EmailKind.CHANGE, subscription, recipient)


def _complete_change(email_id: int) -> None:
    """Move the reader to the address that was confirmed. A reader who had it before is merged into
    this one."""
    email = TransactionalEmail.objects.filter(pk=email_id, kind=EmailKind.CHANGE).first()
    subscription = email.subscription() if email else None
    if email is None or subscription is None or email.subscriber.is_suppressed():
        return
    reader, other = subscription.subscriber, email.subscriber
    address = parse_stored(address_of(other))
    known = list(reader.subscriptions.values_list("newsletter_id", flat=True))
    new = other.subscriptions.filter(state=State.ACTIVE).exclude(newsletter_id__in=known)
    new.update(subscriber=reader)
    personal_data.erase_without_trace(other)
    reader.storage_key, reader.sealed_address = seal_address(address, reader.public_id)
    reader.address_hash_key, reader.address_hash = current_hash_of(address)
    reader.save(update_fields=["sealed_address", "storage_key", "address_hash", "address_hash_key"])
    reader.subscriptions.update(mailbox_provider=mailbox_provider_of(address.domain))
    record_consent(subscription, Consent.Action.CHANGED, language=reader.language)


Action = Callable[[dict[str, Any]], object]
BulkAction = Callable[[list[dict[str, Any]]], object]


def register(kind: Intake.Kind, action: Action) -> None:
    """Register what `drain` does with an item; called from an AppConfig's `ready`."""
    _ACTIONS[kind] = action


def register_bulk(kind: Intake.Kind, action: BulkAction) -> None:
    """Register what `drain_bulk` does with many items; `drain` leaves them alone."""
    _BULK_ACTIONS[kind] = action
    _ACTIONS[kind] = lambda data: action([data])


_BULK_ACTIONS: dict[Intake.Kind, BulkAction] = {}
_ACTIONS: dict[Intake.Kind, Action] = {
    Kind.SIGN_UP: _sign_up,
    Kind.LINK: _queue_link,
    Kind.CHANGE: _change,
    Kind.ERASURE: personal_data.erase_from_intake,
}

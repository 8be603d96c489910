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
from django.utils import timezone

from newsletter.editorial.models import Newsletter
from newsletter.lib import prepared_statements
from subscribers import change_email, lifecycle, personal_data
from subscribers.addresses import Address, normalise
from subscribers.antiabuse import rate_limits
from subscribers.consent import consent_text
from subscribers.crypto.sealing import (
    Ciphertext,
    KeyMissingError,
    open_intake,
    seal_intake,
    worker_keys,
)
from subscribers.lifecycle import SignupRequest
from subscribers.models import Intake

log = logging.getLogger(__name__)
Kind = Intake.Kind

ATTEMPTS = 5
RETRY_AFTER = timedelta(minutes=1)
ONE_HOUR = timedelta(hours=1)


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
    _store(Kind.SIGN_UP, data)


def receive_link_request(address: Address) -> None:
    """Store a request for an account link."""
    _store(Kind.LINK, {"address": address.email})


def receive_change(address: Address, *, subscription_id: int) -> None:
    """Store the new address of a reader, to be confirmed there."""
    _store(Kind.CHANGE, {"address": address.email, "subscription": subscription_id})


def receive_confirmed_change(email_id: int) -> None:
    """Store the confirmation of a new address; only a worker can encrypt it for the database."""
    _store(Kind.CHANGE, {"confirmed": email_id})


def receive_email(raw: bytes, *, recipient: str) -> None:
    """Store an email that arrived, and the address that it was sent to, for a worker."""
    _store(Kind.MAIL, {"mail": b64encode(raw).decode(), "recipient": recipient})


def _store(kind: Intake.Kind, data: dict[str, Any]) -> None:
    # One statement, so the row is durable when this returns, outside of a transaction.
    key_number, sealed = seal_intake(data)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subscribers_intake"
            " (kind, sealed, sealing_key, received_at, due_at, attempts)"
            " VALUES (%s, %s, %s, %s, %s, 0)",
            [kind.value, sealed, key_number, now, now],
        )


# --- In a worker ------------------------------------------------------------------------------
def drain(limit: int) -> int:
    """Act on up to `limit` items that are due, the oldest first; return how many were acted on.

    Raises SealedError, before it tries any, in a process that holds no worker keys."""
    worker_keys()
    due = Intake.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
    left = rate_limits.confirmations_left()
    if left is not None and left < limit:
        # Sign-ups above the overall limit wait; none is lost (B4).
        sign_ups = due.filter(kind=Kind.SIGN_UP).values_list("pk", flat=True)[:left]
        due = due.exclude(kind=Kind.SIGN_UP) | due.filter(pk__in=list(sign_ups))
    return sum(_handle(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))


def _handle(pk: int) -> bool:
    """Return whether this call acted on the item; another worker may have been first."""
    try:
        return _act(pk)
    except RateLimitError:
        _wait(pk, ONE_HOUR)
    except KeyMissingError:
        # The new key of a rotation hasn't reached this host yet. The item waits, however long.
        log.error("intake-waits-for-key", extra={"item": pk})
        _wait(pk, RETRY_AFTER)
    except Exception as error:  # noqa: BLE001 - one bad item mustn't stop the others
        # Only the type is logged: the message or traceback may contain the address.
        _defer(pk, type(error).__name__)
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


def _wait(pk: int, delay: timedelta) -> None:
    Intake.objects.filter(pk=pk).update(due_at=timezone.now() + delay)


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
    item.due_at = timezone.now() + RETRY_AFTER * 2**item.attempts
    item.save(update_fields=["attempts", "due_at"])


def _sign_up(data: dict[str, Any]) -> None:
    newsletter = Newsletter.objects.get(pk=data["newsletter"])
    address = normalise(data["address"])
    if not rate_limits.domain_allowed(address.domain):
        raise RateLimitError
    signup = SignupRequest(
        newsletter_id=newsletter.pk,
        languages=lifecycle.checked_languages(newsletter, data["languages"]),
        page_language=data["page_language"],
        wording=data["wording"],
        asked_at=datetime.fromisoformat(data["at"]),
        discreet=data.get("discreet", False),
    )
    lifecycle.sign_up(address, signup)


def _queue_link(data: dict[str, Any]) -> None:
    change_email.queue_account_link(normalise(data["address"]))


def _change(data: dict[str, Any]) -> None:
    if "confirmed" in data:
        change_email.complete_change(data["confirmed"])
    else:
        address = normalise(data["address"])
        change_email.change_address(address, subscription_id=data["subscription"])


_ACTIONS: dict[Intake.Kind, Callable[[dict[str, Any]], None]] = {
    Kind.SIGN_UP: _sign_up,
    Kind.LINK: _queue_link,
    Kind.CHANGE: _change,
    Kind.ERASURE: personal_data.erase_from_intake,
}

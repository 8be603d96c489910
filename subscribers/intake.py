"""What arrives with an address: sealed by the web process, opened and acted on by a worker.

The web process does the same for each address, and knows nothing of it (B1). The worker deletes
an arrival in the transaction in which it acts on it: stopped half-way, it is as if it had not
begun, and the arrival is there for the next.
"""

from __future__ import annotations

import logging
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
    KeyMissingError,
    Sealed,
    open_arrival,
    seal_arrival,
    worker_keys,
)
from subscribers.lifecycle import SignupRequest
from subscribers.models import Intake

log = logging.getLogger(__name__)

ATTEMPTS = 5
WAIT = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)


class RateLimitError(Exception):
    """More than a domain may have in an hour: it waits."""


# --- In the web process -----------------------------------------------------------------------
def receive_sign_up(
    address: Address,
    *,
    newsletter: Newsletter,
    languages: tuple[str, ...],
    page_language: str,
    discreet: bool = False,
) -> None:
    """Seal a sign-up and leave it for a worker."""
    sealed = seal_arrival(
        {
            "address": address.mail,
            "newsletter": newsletter.pk,
            "languages": languages,
            "page_language": page_language,
            "discreet": discreet,
            "wording": consent_text(newsletter, page_language),
            "at": timezone.now().isoformat(timespec="minutes"),
        }
    )
    _keep(Intake.Kind.SIGN_UP, sealed)


def receive_link_request(address: Address) -> None:
    """Seal a request for a link to one's choices."""
    sealed = seal_arrival({"address": address.mail})
    _keep(Intake.Kind.LINK, sealed)


def receive_change(address: Address, *, subscription_id: int) -> None:
    """Seal the new address of a reader, to be confirmed there."""
    sealed = seal_arrival({"address": address.mail, "subscription": subscription_id})
    _keep(Intake.Kind.CHANGE, sealed)


def receive_confirmed_change(email_id: int) -> None:
    """A new address was confirmed; a worker, which alone can seal for storage, moves to it."""
    sealed = seal_arrival({"confirmed": email_id})
    _keep(Intake.Kind.CHANGE, sealed)


def _keep(kind: Intake.Kind, sealed: Sealed) -> None:
    """One row, by one statement: durable when this returns, outside of a transaction."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with prepared_statements.cursor() as cursor:
        cursor.execute(_KEEP, [kind.value, sealed.value, sealed.key, now, now])


_KEEP = """
    INSERT INTO subscribers_intake (kind, sealed, sealing_key, received_at, due_at, attempts)
    VALUES (%s, %s, %s, %s, %s, 0)
"""


# --- In a worker ------------------------------------------------------------------------------
def drain(limit: int) -> int:
    """Act on up to `limit` arrivals that are due, the oldest first; returns how many were acted
    on. Raises SealedError where this process holds no worker keys: nothing is tried then."""
    worker_keys()
    due = Intake.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
    sign_ups = due.filter(kind=Intake.Kind.SIGN_UP)
    left = rate_limits.confirmations_left()
    if left is not None and left < limit:
        # What is above the limit in all waits where it is: nothing is lost (B4).
        waiting = sign_ups.values_list("pk", flat=True)[:left]
        due = due.exclude(kind=Intake.Kind.SIGN_UP) | due.filter(pk__in=list(waiting))
    return sum(_settle(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))


def _settle(pk: int) -> bool:
    """Whether this call acted on the arrival; another worker may have been first."""
    try:
        return _act(pk)
    except RateLimitError:
        Intake.objects.filter(pk=pk).update(due_at=timezone.now() + AN_HOUR)
        return False
    except KeyMissingError:
        # A rotation whose new key has not come to this host yet: it waits, however long.
        _wait_for_key(pk)
        return False
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one must not stop the rest
        # Only the kind of error is told: its text, or its traceback, may hold what was inside.
        _postpone(pk, type(error).__name__)
        return False


@transaction.atomic
def _act(pk: int) -> bool:
    arrival = Intake.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if arrival is None:
        return False
    data = open_arrival(Sealed(arrival.sealing_key, bytes(arrival.sealed)))
    _ACTIONS[Intake.Kind(arrival.kind)](data)
    arrival.delete()
    return True


def _wait_for_key(pk: int) -> None:
    log.error("arrival-waits-for-its-key", extra={"arrival": pk})
    Intake.objects.filter(pk=pk).update(due_at=timezone.now() + WAIT)


@transaction.atomic
def _postpone(pk: int, reason: str) -> None:
    """Try again later, ever later; given up after `ATTEMPTS`."""
    arrival = Intake.objects.select_for_update().filter(pk=pk).first()
    if arrival is None:
        return
    arrival.attempts += 1
    if arrival.attempts >= ATTEMPTS:
        log.error("arrival-given-up", extra={"arrival": pk, "reason": reason})
        arrival.delete()
        return
    log.warning("arrival-postponed", extra={"arrival": pk, "reason": reason})
    arrival.due_at = timezone.now() + WAIT * 2**arrival.attempts
    arrival.save(update_fields=["attempts", "due_at"])


def _sign_up(data: dict[str, Any]) -> None:
    newsletter = Newsletter.objects.get(pk=data["newsletter"])
    address = normalise(data["address"])
    if not rate_limits.domain_allowed(address.domain):
        raise RateLimitError
    lifecycle.request(
        address,
        SignupRequest(
            newsletter_id=newsletter.pk,
            languages=lifecycle.offered(newsletter, data["languages"]),
            page_language=data["page_language"],
            wording=data["wording"],
            asked_at=datetime.fromisoformat(data["at"]),
            discreet=data.get("discreet", False),
        ),
    )


def _link(data: dict[str, Any]) -> None:
    change_email.queue_link(normalise(data["address"]))


def _change(data: dict[str, Any]) -> None:
    if "confirmed" in data:
        change_email.apply_change(data["confirmed"])
    else:
        change_email.change_address(
            normalise(data["address"]), subscription_id=data["subscription"]
        )


_ACTIONS: dict[Intake.Kind, Callable[[dict[str, Any]], None]] = {
    Intake.Kind.SIGN_UP: _sign_up,
    Intake.Kind.LINK: _link,
    Intake.Kind.CHANGE: _change,
    Intake.Kind.FORGET: personal_data.erase_arrivals,
}

"""Transactional emails: written, permitted and handed over one at a time, ahead of bulk.

This is the protocol of newsletter.delivery.sending.protocol, for a single message: QUEUED →
CLAIMED by a conditional UPDATE → SENDING, which is the permission and has committed before the
hand-over → a final state.

What a crash leaves behind:

* If the worker dies while the email is CLAIMED, nothing was handed over: it goes back to the queue.
* If the worker dies while the email is SENDING, the message may have arrived: it is *unknown*, and
  never sent again automatically.
* If the database connection is lost, nothing is in doubt: the worker still knows what it handed
  over.

Unlike a batch, the same row is claimed again and again. So the fence alone prevents a worker that
resumes after its lease from finishing an email that another worker is now sending.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, Q
from django.db.models.functions import Now

from newsletter.delivery.message_ids import TRANSACTIONAL, MessageTrace, delivery_id
from newsletter.delivery.models import KillSwitch
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.transactional import welcome
from newsletter.digest.content import RenderError
from newsletter.digest.render_service import RenderServiceError
from newsletter.transport.base import CompileError
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import Recipient, Result, SendResult, TransportDownError
from subscribers import audience
from subscribers.models import TransactionalEmail
from subscribers.transactional import texts

log = logging.getLogger(__name__)
State = TransactionalEmail.State
SENDING_ALLOWED = ~Q(Exists(KillSwitch.objects.filter(engaged=True)))

STATE_BY_RESULT = {
    Result.SENT: State.SENT,
    Result.REFUSED: State.REFUSED,
    Result.FAILED: State.FAILED,
    Result.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True)
class ClaimedEmail:
    """A claimed email. The claim is valid as long as `fence` is the row's newest."""

    email: TransactionalEmail
    fence: int


def drain(limit: int = 50, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Send transactional emails that are due; return how many were claimed."""
    due = TransactionalEmail.objects.filter(SENDING_ALLOWED, state=State.QUEUED, due_at__lte=Now())
    claimed = 0
    for email_id in list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit]):
        if stop():
            break
        claim = _claim(email_id)
        if claim is not None:
            claimed += 1
            _deliver(claim)
    return claimed


def rescue() -> int:
    """Settle emails whose worker died; return how many."""
    lost = TransactionalEmail.objects.filter(lease_until__lte=Now())
    requeued = lost.filter(state=State.CLAIMED).update(state=State.QUEUED, lease_until=None)
    return requeued + lost.filter(state=State.SENDING).update(state=State.UNKNOWN, lease_until=None)


def _claim(email_id: int) -> ClaimedEmail | None:
    with transaction.atomic():
        updated = TransactionalEmail.objects.filter(
            SENDING_ALLOWED, pk=email_id, state=State.QUEUED
        ).update(
            state=State.CLAIMED,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=Now() + protocol.lease(),
        )
        if not updated:
            return None
        email = TransactionalEmail.objects.select_related("subscriber", "newsletter").get(
            pk=email_id
        )
    return ClaimedEmail(email, email.fence)


def _deliver(claim: ClaimedEmail) -> None:
    email = claim.email
    if email.expires_at is not None and email.expires_at <= protocol.database_now():
        _finish(claim, State.CLAIMED, State.DROPPED)
        return
    transport = transports.preferred()
    try:
        if email.kind == TransactionalEmail.Kind.ISSUE:
            # It becomes a batch of one, so that reports, the audit and "never twice" cover it.
            welcome.enqueue(email)
            return
        compiled = transport.compile(texts.write(email))
        recipient = _recipient(email)
    except texts.NotWantedError as reason:
        log.info("email-dropped", extra={"email": email.pk, "reason": reason})
        _finish(claim, State.CLAIMED, State.DROPPED)
        return
    except RenderServiceError as error:
        log.error("email-rendering-deferred", extra={"email": email.pk, "error": error})
        _retry_later(claim, State.CLAIMED)
        return
    except (RenderError, CompileError) as error:
        log.error("email-not-renderable", extra={"email": email.pk, "error": error})
        _finish(claim, State.CLAIMED, State.FAILED)
        return
    if not _permit_or_requeue(claim):
        return
    try:
        with transport.pace.ahead_of_bulk():
            for send_result in transport.send(compiled, [recipient]):
                _settle(claim, send_result, transport.name)
        transports.mark_up(transport)
    except TransportDownError as down:
        transports.mark_down(transport, seconds=down.retry_after)
        facts = {"email": email.pk, "transport": transport.name, "reason": down}
        log.warning("transport-down", extra=facts)
        _retry_later(claim, State.SENDING)


def _recipient(email: TransactionalEmail) -> Recipient:
    return Recipient(
        position=0,
        address=audience.address_of(email.subscriber),
        delivery_id=delivery_id(MessageTrace(TRANSACTIONAL, email.pk, email.subscriber_id)),
        urls=texts.placeholder_values(email),
    )


def _settle(claim: ClaimedEmail, send_result: SendResult, transport: str) -> None:
    if send_result.result is Result.DEFERRED:
        _retry_later(
            claim,
            State.SENDING,
            code=send_result.code,
            status=send_result.status,
            transport=transport,
        )
        return
    _finish(
        claim,
        State.SENDING,
        STATE_BY_RESULT[send_result.result],
        code=send_result.code,
        status=send_result.status,
        transport=transport,
    )


def _retry_later(claim: ClaimedEmail, before: TransactionalEmail.State, **facts: object) -> None:
    """Put the email back into the queue with exponential backoff, until the time to give up."""
    pause = timedelta(seconds=backoff(claim.email.attempts, min(settings.SEND_RETRY_SECONDS, 60)))
    now = protocol.retry_on_lost_connection(protocol.database_now)
    if now - claim.email.created_at >= timedelta(hours=settings.SEND_GIVE_UP_HOURS):
        _finish(claim, before, State.FAILED, **facts)
        return
    _finish(claim, before, State.QUEUED, due_at=now + pause, **facts)


def _permit_or_requeue(claim: ClaimedEmail) -> bool:
    """Get permission to hand over the email; put it back into the queue if the database is lost."""
    try:
        return _permit(claim)
    except (OperationalError, InterfaceError):
        # Whether or not the permission committed, nothing was handed over yet.
        log.warning("email-permission-lost", extra={"email": claim.email.pk})
        _finish(claim, State.SENDING, State.QUEUED)
        _finish(claim, State.CLAIMED, State.QUEUED)
        return False


def _permit(claim: ClaimedEmail) -> bool:
    """Get permission to hand over the email; it has committed when this returns True."""
    return (
        TransactionalEmail.objects.filter(
            SENDING_ALLOWED,
            pk=claim.email.pk,
            fence=claim.fence,
            state=State.CLAIMED,
            lease_until__gt=Now(),
        ).update(state=State.SENDING, lease_until=Now() + protocol.lease())
        == 1
    )


def _finish(
    claim: ClaimedEmail,
    before: TransactionalEmail.State,
    after: TransactionalEmail.State,
    **facts: object,
) -> None:
    """Move the email from state `before` to `after`, unless its claim is no longer the newest."""
    still_claimed = TransactionalEmail.objects.filter(
        pk=claim.email.pk, fence=claim.fence, state=before
    )
    updated = protocol.retry_on_lost_connection(
        lambda: still_claimed.update(state=after, lease_until=None, **facts)
    )
    log.info(
        "email-finished",
        extra={"email": claim.email.pk, "state": after, "updated": bool(updated)},
    )

"""Single mails: written, permitted and handed over one by one, ahead of bulk.

The same protocol as a batch's (newsletter.delivery.sending.protocol), for one message: QUEUED → CLAIMED
by a conditional update → SENDING, committed, which is the permission → its end. A letter whose
worker is lost goes back to the queue while it was CLAIMED, and is *unknown* once it was SENDING.
A lost database leaves nobody in doubt: the worker still knows what it handed over.

Unlike a batch, a letter's row is claimed again and again. The fence alone keeps a worker who wakes
from the dead from ending what another is sending.
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
from subscribers.transactional import texts as wording

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
    email: TransactionalEmail
    fence: int


def drain(limit: int = 50, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Send letters that are due; returns how many were taken up."""
    due = TransactionalEmail.objects.filter(SENDING_ALLOWED, state=State.QUEUED, due_at__lte=Now())
    taken = 0
    for email_id in list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit]):
        if stop():
            break
        held = _claim(email_id)
        if held is not None:
            taken += 1
            _deliver(held)
    return taken


def rescue() -> int:
    """Settle letters whose worker is gone; returns how many."""
    lost = TransactionalEmail.objects.filter(lease_until__lte=Now())
    again = lost.filter(state=State.CLAIMED).update(state=State.QUEUED, lease_until=None)
    return again + lost.filter(state=State.SENDING).update(state=State.UNKNOWN, lease_until=None)


def _claim(email_id: int) -> ClaimedEmail | None:
    with transaction.atomic():
        taken = TransactionalEmail.objects.filter(
            SENDING_ALLOWED, pk=email_id, state=State.QUEUED
        ).update(
            state=State.CLAIMED,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=Now() + protocol.lease(),
        )
        if not taken:
            return None
        email = TransactionalEmail.objects.select_related("subscriber", "newsletter").get(
            pk=email_id
        )
    return ClaimedEmail(email, email.fence)


def _deliver(held: ClaimedEmail) -> None:
    email = held.email
    if email.expires_at is not None and email.expires_at <= protocol.database_now():
        _finish(held, State.CLAIMED, State.DROPPED)
        return
    transport = transports.preferred()
    try:
        if email.kind == TransactionalEmail.Kind.ISSUE:
            # It becomes a batch of one, so that the account and "never twice" cover it.
            welcome.enqueue(email)
            return
        compiled = transport.compile(wording.write(email))
        recipient = _recipient(email)
    except wording.NotWantedError as reason:
        log.info("letter-dropped", extra={"letter": email.pk, "reason": reason})
        _finish(held, State.CLAIMED, State.DROPPED)
        return
    except RenderServiceError as error:
        log.error("letter-not-written-yet", extra={"letter": email.pk, "error": error})
        _retry_later(held, State.CLAIMED)
        return
    except (RenderError, CompileError) as error:
        log.error("letter-cannot-be-written", extra={"letter": email.pk, "error": error})
        _finish(held, State.CLAIMED, State.FAILED)
        return
    if not _permit_or_requeue(held):
        return
    try:
        for send_result in transport.send(compiled, [recipient]):
            _settle(held, send_result, transport.name)
        transports.mark_up(transport)
    except TransportDownError as down:
        transports.mark_down(transport, seconds=down.retry_after)
        facts = {"letter": email.pk, "transport": transport.name, "reason": down}
        log.warning("transport-down", extra=facts)
        _retry_later(held, State.SENDING)


def _recipient(email: TransactionalEmail) -> Recipient:
    return Recipient(
        position=0,
        address=audience.address_of(email.subscriber),
        delivery_id=delivery_id(MessageTrace(TRANSACTIONAL, email.pk, email.subscriber_id)),
        urls=wording.placeholder_values(email),
    )


def _settle(held: ClaimedEmail, send_result: SendResult, transport: str) -> None:
    if send_result.result is Result.DEFERRED:
        _retry_later(
            held,
            State.SENDING,
            code=send_result.code,
            status=send_result.status,
            transport=transport,
        )
        return
    _finish(
        held,
        State.SENDING,
        STATE_BY_RESULT[send_result.result],
        code=send_result.code,
        status=send_result.status,
        transport=transport,
    )


def _retry_later(held: ClaimedEmail, before: TransactionalEmail.State, **facts: object) -> None:
    """Back to the queue with a growing pause, until the time to give up."""
    pause = timedelta(seconds=backoff(held.email.attempts, min(settings.SEND_RETRY_SECONDS, 60)))
    now = protocol.retry_on_lost_connection(protocol.database_now)
    if now - held.email.created_at >= timedelta(hours=settings.SEND_GIVE_UP_HOURS):
        _finish(held, before, State.FAILED, **facts)
        return
    _finish(held, before, State.QUEUED, due_at=now + pause, **facts)


def _permit_or_requeue(held: ClaimedEmail) -> bool:
    """Whether the letter may be handed over now."""
    try:
        return _permit(held, State.CLAIMED, State.SENDING)
    except (OperationalError, InterfaceError):
        # Committed or not: nothing was handed over.
        log.warning("letter-lost", extra={"letter": held.email.pk})
        _finish(held, State.SENDING, State.QUEUED)
        _finish(held, State.CLAIMED, State.QUEUED)
        return False


def _permit(
    held: ClaimedEmail, before: TransactionalEmail.State, after: TransactionalEmail.State
) -> bool:
    """Permission to send, committed when this returns True."""
    return (
        TransactionalEmail.objects.filter(
            SENDING_ALLOWED,
            pk=held.email.pk,
            fence=held.fence,
            state=before,
            lease_until__gt=Now(),
        ).update(state=after, lease_until=Now() + protocol.lease())
        == 1
    )


def _finish(
    held: ClaimedEmail,
    before: TransactionalEmail.State,
    after: TransactionalEmail.State,
    **facts: object,
) -> None:
    mine = TransactionalEmail.objects.filter(pk=held.email.pk, fence=held.fence, state=before)
    ended = protocol.retry_on_lost_connection(
        lambda: mine.update(state=after, lease_until=None, **facts)
    )
    log.info("letter-ended", extra={"letter": held.email.pk, "state": after, "mine": bool(ended)})

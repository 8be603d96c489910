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
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, Q
from django.db.models.functions import Now

from newsletter.delivery.message_ids import TRANSACTIONAL, delivery_id_factory
from newsletter.delivery.models import KillSwitch
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.transactional import welcome
from newsletter.digest.content import RenderError
from newsletter.digest.render_service import RenderServiceError
from newsletter.transport.base import AnyTransport, CompileError
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import Fault, Recipient, Result, SendResult, TransportDownError
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


def drain(limit: int = 50, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Send transactional emails that are due; return how many were claimed."""
    due = TransactionalEmail.objects.filter(SENDING_ALLOWED, state=State.QUEUED, due_at__lte=Now())
    claimed = 0
    for email_id in list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit]):
        if stop():
            break
        transport = transports.available_for_single()
        if transport is None:
            break
        email = _claim(email_id)
        if email is not None:
            claimed += 1
            _deliver(email, transport)
        else:
            transports.give_back(transport)
    return claimed


def rescue() -> int:
    """Settle emails whose worker died; return how many."""
    lost = TransactionalEmail.objects.filter(lease_until__lte=Now())
    requeued = lost.filter(state=State.CLAIMED).update(state=State.QUEUED, lease_until=None)
    return requeued + lost.filter(state=State.SENDING).update(state=State.UNKNOWN, lease_until=None)


def _claim(email_id: int) -> TransactionalEmail | None:
    """Claim an email. The claim is valid as long as its `fence` is the row's newest."""
    with transaction.atomic():
        queued = TransactionalEmail.objects.filter(SENDING_ALLOWED, pk=email_id, state=State.QUEUED)
        claimed = queued.update(
            state=State.CLAIMED,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=Now() + protocol.lease(),
        )
        emails = TransactionalEmail.objects.select_related("subscriber", "newsletter")
        return emails.get(pk=email_id) if claimed else None


def _deliver(email: TransactionalEmail, transport: AnyTransport) -> None:
    if email.expires_at is not None and email.expires_at <= protocol.database_now():
        _finish(email, State.CLAIMED, State.DROPPED)
        return
    try:
        if email.kind == TransactionalEmail.Kind.ISSUE:
            # It becomes a batch of one, so that reports, the audit and "never twice" cover it.
            welcome.enqueue(email)
            return
        compiled = transport.compile(texts.write(email))
        recipient = _recipient(email)
    except texts.NotWantedError as reason:
        log.info("email-dropped", extra={"email": email.pk, "reason": reason})
        _finish(email, State.CLAIMED, State.DROPPED)
        return
    except RenderServiceError as error:
        log.error("email-rendering-deferred", extra={"email": email.pk, "error": error})
        _retry_later(email, State.CLAIMED)
        return
    except (RenderError, CompileError) as error:
        log.error("email-not-renderable", extra={"email": email.pk, "error": error})
        _finish(email, State.CLAIMED, State.FAILED)
        return
    if not _permit_or_requeue(email):
        return
    try:
        with transport.pace.ahead_of_bulk():
            for send_result in transport.send(compiled, [recipient]):
                _settle(email, send_result, transport.name)
        transports.mark_up(transport)
    except TransportDownError as down:
        transports.mark_down(transport, down)
        facts = {"email": email.pk, "transport": transport.name, "reason": down}
        log.warning("transport-down", extra=facts)
        _retry_later(email, State.SENDING)


def _recipient(email: TransactionalEmail) -> Recipient:
    return Recipient(
        position=0,
        address=audience.address_of(email.subscriber),
        delivery_id=delivery_id_factory(TRANSACTIONAL, email.pk)(email.subscriber_id),
        urls=texts.placeholder_values(email),
    )


def _settle(email: TransactionalEmail, send_result: SendResult, transport: str) -> None:
    # Nobody else's message shows whether the relay refuses this one or all of them. A fault that
    # isn't the reader's may pass, and a confirmation that is dropped loses a reader.
    is_ours = send_result.result is Result.FAILED and send_result.fault is not Fault.NONE
    facts = {"code": send_result.code, "status": send_result.status, "transport": transport}
    if send_result.result is Result.DEFERRED or is_ours:
        _retry_later(email, State.SENDING, **facts)
    else:
        _finish(email, State.SENDING, STATE_BY_RESULT[send_result.result], **facts)


def _retry_later(email: TransactionalEmail, before: State, **facts: object) -> None:
    """Put the email back into the queue with exponential backoff, until the time to give up."""
    pause = timedelta(seconds=backoff(email.attempts, min(settings.SEND_RETRY_SECONDS, 60)))
    now = protocol.retry_on_lost_connection(protocol.database_now)
    if now - email.created_at >= timedelta(hours=settings.SEND_GIVE_UP_HOURS):
        _finish(email, before, State.FAILED, **facts)
        return
    _finish(email, before, State.QUEUED, due_at=now + pause, **facts)


def _permit_or_requeue(email: TransactionalEmail) -> bool:
    """Get permission to hand over the email; put it back into the queue if the database is lost."""
    try:
        return _permit(email)
    except (OperationalError, InterfaceError):
        # Whether or not the permission committed, nothing was handed over yet.
        log.warning("email-permission-lost", extra={"email": email.pk})
        _finish(email, State.SENDING, State.QUEUED)
        _finish(email, State.CLAIMED, State.QUEUED)
        return False


def _permit(email: TransactionalEmail) -> bool:
    """Get permission to hand over the email; it has committed when this returns True."""
    claimed = TransactionalEmail.objects.filter(
        SENDING_ALLOWED,
        pk=email.pk,
        fence=email.fence,
        state=State.CLAIMED,
        lease_until__gt=Now(),
    )
    return claimed.update(state=State.SENDING, lease_until=Now() + protocol.lease()) == 1


def _finish(
    email: TransactionalEmail,
    before: State,
    after: State,
    **facts: object,
) -> None:
    """Move the email from state `before` to `after`, unless its claim is no longer the newest."""
    mine = TransactionalEmail.objects.filter(pk=email.pk, fence=email.fence, state=before)
    updated = protocol.retry_on_lost_connection(
        lambda: mine.update(state=after, lease_until=None, **facts)
    )
    log.info("email-finished", extra={"email": email.pk, "state": after, "updated": bool(updated)})

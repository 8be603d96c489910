"""Single mails: written, permitted and handed over one by one, ahead of bulk.

The same protocol as a batch's (newsletter.delivery.progress), for one message: QUEUED → CLAIMED
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

from newsletter.delivery import progress, transports, welcome
from newsletter.delivery.models import Site
from newsletter.delivery.tracing import LETTER, Trace, delivery_id
from newsletter.digest.content import RenderError
from newsletter.digest.press import PressEnded
from newsletter.transport.base import CompileError
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import Handover, Recipient, Result, TransportDown
from subscribers import audience
from subscribers import letters as wording
from subscribers.models import Letter

log = logging.getLogger(__name__)
State = Letter.State
NOT_FROZEN = ~Q(Exists(Site.objects.filter(frozen=True)))

END_OF = {
    Result.SENT: State.SENT,
    Result.REFUSED: State.REFUSED,
    Result.FAILED: State.FAILED,
    Result.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True)
class Held:
    letter: Letter
    fence: int


def drain(limit: int = 50, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Send letters that are due; returns how many were taken up."""
    due = Letter.objects.filter(NOT_FROZEN, state=State.QUEUED, due_at__lte=Now())
    taken = 0
    for letter_id in list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit]):
        if stop():
            break
        held = _claim(letter_id)
        if held is not None:
            taken += 1
            _deliver(held)
    return taken


def rescue() -> int:
    """Settle letters whose worker is gone; returns how many."""
    lost = Letter.objects.filter(lease_until__lte=Now())
    again = lost.filter(state=State.CLAIMED).update(state=State.QUEUED, lease_until=None)
    return again + lost.filter(state=State.SENDING).update(state=State.UNKNOWN, lease_until=None)


def _claim(letter_id: int) -> Held | None:
    with transaction.atomic():
        taken = Letter.objects.filter(NOT_FROZEN, pk=letter_id, state=State.QUEUED).update(
            state=State.CLAIMED,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=Now() + progress.lease(),
        )
        if not taken:
            return None
        letter = Letter.objects.select_related("subscriber", "newsletter").get(pk=letter_id)
    return Held(letter, letter.fence)


def _deliver(held: Held) -> None:
    letter = held.letter
    if letter.expires_at is not None and letter.expires_at <= progress.database_now():
        _end(held, State.CLAIMED, State.DROPPED)
        return
    transport = transports.preferred()
    try:
        if letter.kind == Letter.Kind.ISSUE:
            # It becomes a batch of one, so that the account and "never twice" cover it.
            welcome.enqueue(letter)
            return
        compiled = transport.compile(wording.write(letter))
        recipient = _recipient(letter)
    except wording.LetterError as reason:
        log.info("action=letter %s", reason)
        _end(held, State.CLAIMED, State.DROPPED)
        return
    except PressEnded as error:
        log.error("action=letter letter=%d is not written yet: %s", letter.pk, error)
        _again(held, State.CLAIMED)
        return
    except (RenderError, CompileError) as error:
        log.error("action=letter letter=%d cannot be written: %s", letter.pk, error)
        _end(held, State.CLAIMED, State.FAILED)
        return
    if not _permitted(held):
        return
    try:
        for handover in transport.send(compiled, [recipient]):
            _settle(held, handover, transport.name)
        transports.mark_up(transport)
    except TransportDown as down:
        transports.mark_down(transport, seconds=down.retry_after)
        log.warning("action=down letter=%d transport=%s reason=%s", letter.pk, transport.name, down)
        _again(held, State.SENDING)


def _recipient(letter: Letter) -> Recipient:
    return Recipient(
        position=0,
        address=audience.address_of(letter.subscriber),
        delivery_id=delivery_id(Trace(LETTER, letter.pk, letter.subscriber_id)),
        places=wording.places(letter),
    )


def _settle(held: Held, handover: Handover, transport: str) -> None:
    if handover.result is Result.DEFERRED:
        _again(held, State.SENDING, code=handover.code, status=handover.status, transport=transport)
        return
    _end(
        held,
        State.SENDING,
        END_OF[handover.result],
        code=handover.code,
        status=handover.status,
        transport=transport,
    )


def _again(held: Held, before: Letter.State, **facts: object) -> None:
    """Back to the queue with a growing pause, until the time to give up."""
    pause = timedelta(seconds=backoff(held.letter.attempts, min(settings.SEND_RETRY_SECONDS, 60)))
    now = progress.outlasting_lost_connections(progress.database_now)
    if now - held.letter.created_at >= timedelta(hours=settings.SEND_GIVE_UP_HOURS):
        _end(held, before, State.FAILED, **facts)
        return
    _end(held, before, State.QUEUED, due_at=now + pause, **facts)


def _permitted(held: Held) -> bool:
    """Whether the letter may be handed over now."""
    try:
        return _move(held, State.CLAIMED, State.SENDING)
    except (OperationalError, InterfaceError):
        # Committed or not: nothing was handed over.
        log.warning("action=lost letter=%d", held.letter.pk)
        _end(held, State.SENDING, State.QUEUED)
        _end(held, State.CLAIMED, State.QUEUED)
        return False


def _move(held: Held, before: Letter.State, after: Letter.State) -> bool:
    """Permission to send, committed when this returns True."""
    return (
        Letter.objects.filter(
            NOT_FROZEN,
            pk=held.letter.pk,
            fence=held.fence,
            state=before,
            lease_until__gt=Now(),
        ).update(state=after, lease_until=Now() + progress.lease())
        == 1
    )


def _end(held: Held, before: Letter.State, after: Letter.State, **facts: object) -> None:
    mine = Letter.objects.filter(pk=held.letter.pk, fence=held.fence, state=before)
    ended = progress.outlasting_lost_connections(
        lambda: mine.update(state=after, lease_until=None, **facts)
    )
    log.info("action=letter letter=%d state=%s mine=%s", held.letter.pk, after, bool(ended))

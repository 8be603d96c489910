"""Pause, resume and cancel a mailing. Each acts once, and only from a state that allows it."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.sending import ledger, protocol, transports, wake_ups
from newsletter.lib.queue import wake
from newsletter.transport.outcomes import Result

log = logging.getLogger(__name__)
State = Mailing.State
CANCELLABLE = [State.HELD, State.SCHEDULED, State.PREPARING, State.SENDING, State.PAUSED]
PAUSABLE = [State.PREPARING, State.SENDING]


def pause(mailing: Mailing) -> bool:
    """Stop sending within one step of each batch; return False if the mailing wasn't sending.

    A mailing that is still being prepared takes no snapshot until it is resumed.
    """
    return _change_state(mailing, PAUSABLE, State.PAUSED)


def resume(mailing: Mailing) -> bool:
    """Continue a paused mailing; return False if it wasn't paused.

    After a refusal, the transport and the readers who were refused are tried again at once.
    """
    if mailing.snapshot_at is None and _prepare_again(mailing):
        return True
    transport = mailing.hold_facts.get("transport", "")
    resumed = _change_state(
        mailing, [State.PAUSED], State.SENDING, hold="", hold_detail="", hold_facts={}
    )
    if resumed:
        _give_more_time(mailing)
        if transport:
            transports.retry_now(transport)
            _deferred(mailing).update(due_at=Now())
        wake_ups.wake_due()
    return resumed


def _prepare_again(mailing: Mailing) -> bool:
    """Go on preparing a mailing that was paused before its snapshot; return whether it was."""
    paused = Mailing.objects.filter(pk=mailing.pk, state=State.PAUSED, snapshot_at=None)
    resumed = paused.update(state=State.PREPARING)
    mailing.refresh_from_db()
    if resumed:
        wake("delivery.prepare", mailing.pk)
    return resumed == 1


def _give_more_time(mailing: Mailing) -> None:
    """Let readers who waited while the mailing was paused be tried as long as any others."""
    until = Now() + timedelta(hours=settings.SEND_GIVE_UP_HOURS)
    waiting = Batch.objects.filter(mailing=mailing, state=Batch.State.OPEN)
    waiting.filter(give_up_at__lt=until).update(give_up_at=until)


def may_retry_now(mailing: Mailing) -> bool:
    return mailing.state == State.SENDING and _deferred(mailing).exists()


def retry_now(mailing: Mailing) -> int:
    """Retry deferred batches and the transports now; return how many batches."""
    for transport in transports.configured():
        transports.retry_now(transport.name)
    batches = _deferred(mailing).update(due_at=Now())
    if batches:
        log.info("retry-now", extra={"mailing": mailing.pk, "batches": batches})
        wake_ups.wake_due()
    return batches


def retry_transport(name: str) -> int:
    """Try a transport again at once, with the readers who wait; return how many batches, or 0 if
    the transport wasn't waiting."""
    if not transports.retry_now(name):
        return 0
    waiting = Batch.objects.filter(
        mailing__state=Mailing.State.SENDING,
        state=Batch.State.OPEN,
        round__gt=0,
        due_at__gt=Now(),
    )
    batches = waiting.update(due_at=Now())
    log.info("retry-transport", extra={"transport": name, "batches": batches})
    wake_ups.wake_due()
    return batches + 1


def cancel(mailing: Mailing) -> bool:
    """Cancel for good and skip the remaining readers; return False if the mailing had ended."""
    cancelled = _change_state(mailing, CANCELLABLE, State.CANCELLED, finished_at=Now())
    if cancelled:
        settle_cancelled()
    return cancelled


def mark_unknown_as_failed(mailing: Mailing) -> int:
    """Record unknown outcomes as failed, by the operator's decision; return how many there were."""
    which, source = Q(mailing_id=mailing.pk), Outcome.Source.OPERATOR
    marked = ledger.settle_unknown(which, Result.FAILED, source=source)
    log.info("mark-unknown-as-failed", extra={"mailing": mailing.pk, "readers": marked})
    return marked


def settle_cancelled() -> int:
    """Close the open batches of cancelled mailings; workers close the claimed ones."""
    batches = Batch.objects.filter(state=Batch.State.OPEN, mailing__state=State.CANCELLED)
    ids = list(batches.values_list("pk", flat=True))
    return sum(protocol.finish_cancelled(batch_id) is not None for batch_id in ids)


def _deferred(mailing: Mailing) -> QuerySet[Batch]:
    return Batch.objects.filter(
        mailing=mailing, state=Batch.State.OPEN, round__gt=0, due_at__gt=Now()
    )


def _change_state(mailing: Mailing, before: list[State], after: State, **facts: object) -> bool:
    changed = Mailing.objects.filter(pk=mailing.pk, state__in=before).update(state=after, **facts)
    mailing.refresh_from_db()
    if changed:
        log.info("mailing-state", extra={"mailing": mailing.pk, "state": after.value})
    return changed == 1

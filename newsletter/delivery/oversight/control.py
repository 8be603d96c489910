"""Pause, resume and cancel a mailing. Each acts once, and only from a state that allows it."""

from __future__ import annotations

import logging

from django.db.models import QuerySet
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.sending import protocol
from newsletter.lib.queue import wake
from newsletter.transport.outcomes import Result

log = logging.getLogger(__name__)

CANCELLABLE = [
    Mailing.State.HELD,
    Mailing.State.PREPARING,
    Mailing.State.SENDING,
    Mailing.State.PAUSED,
]


def pause(mailing: Mailing) -> bool:
    """Stop sending within one step of each batch; return False if the mailing wasn't sending."""
    return _change_state(mailing, [Mailing.State.SENDING], Mailing.State.PAUSED)


def resume(mailing: Mailing) -> bool:
    """Continue a paused mailing; return False if it wasn't paused."""
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PAUSED).update(hold="")
    resumed = _change_state(mailing, [Mailing.State.PAUSED], Mailing.State.SENDING)
    if resumed:
        _wake_workers()
    return resumed


def may_retry_now(mailing: Mailing) -> bool:
    return mailing.state == Mailing.State.SENDING and _deferred(mailing).exists()


def retry_now(mailing: Mailing) -> int:
    """Retry deferred batches now, for someone who knows that the relay is back; return how many."""
    batches = _deferred(mailing).update(due_at=Now())
    if batches:
        log.info("retry-now", extra={"mailing": mailing.pk, "batches": batches})
        _wake_workers()
    return batches


def cancel(mailing: Mailing) -> bool:
    """Cancel for good and skip the remaining readers; return False if the mailing had ended."""
    cancelled = _change_state(mailing, CANCELLABLE, Mailing.State.CANCELLED)
    if cancelled:
        Mailing.objects.filter(pk=mailing.pk).update(finished_at=Now())
        settle_cancelled()
    return cancelled


def mark_unknown_as_failed(mailing: Mailing) -> int:
    """Record unknown outcomes as failed, by the operator's decision; return how many there were."""
    marked = Outcome.objects.filter(mailing_id=mailing.pk, result=Result.UNKNOWN).update(
        result=Result.FAILED, source=Outcome.Source.OPERATOR
    )
    log.info("mark-unknown-as-failed", extra={"mailing": mailing.pk, "readers": marked})
    return marked


def settle_cancelled() -> int:
    """Close the open batches of cancelled mailings; workers close the claimed ones."""
    batches = Batch.objects.filter(state=Batch.State.OPEN, mailing__state=Mailing.State.CANCELLED)
    ids = list(batches.values_list("pk", flat=True))
    return sum(protocol.finish_cancelled(batch_id) is not None for batch_id in ids)


def _deferred(mailing: Mailing) -> QuerySet[Batch]:
    return Batch.objects.filter(
        mailing=mailing, state=Batch.State.OPEN, round__gt=0, due_at__gt=Now()
    )


def _wake_workers() -> None:
    for batch_id in protocol.due_batches(100):
        if not wake("delivery.send", batch_id):
            break


def _change_state(mailing: Mailing, before: list[Mailing.State], after: Mailing.State) -> bool:
    changed = Mailing.objects.filter(pk=mailing.pk, state__in=before).update(state=after)
    mailing.refresh_from_db()
    if changed:
        log.info("mailing-state", extra={"mailing": mailing.pk, "state": after.value})
    return changed == 1

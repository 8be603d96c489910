"""Pause, resume and cancel a mailing. Each acts once, and only from a state that allows it."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.sending import protocol
from newsletter.delivery.sending.packing import unpack
from newsletter.delivery.sending.settlement import settle
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
    """Give no further permission; running batches stop within one step. False: not sending."""
    return _move(mailing, [Mailing.State.SENDING], Mailing.State.PAUSED)


def resume(mailing: Mailing) -> bool:
    """Go on where it was paused. False: it was not paused."""
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PAUSED).update(hold="")
    resumed = _move(mailing, [Mailing.State.PAUSED], Mailing.State.SENDING)
    if resumed:
        _wake_workers()
    return resumed


def may_retry_now(mailing: Mailing) -> bool:
    return mailing.state == Mailing.State.SENDING and _deferred(mailing).exists()


def retry_now(mailing: Mailing) -> int:
    """Do not wait for the next try of readers who were put off; returns how many batches of them
    there are. For somebody who knows that the relay is back."""
    hurried = _deferred(mailing).update(due_at=Now())
    if hurried:
        log.info("try-now", extra={"mailing": mailing.pk, "batches": hurried})
        _wake_workers()
    return hurried


def cancel(mailing: Mailing) -> bool:
    """End it for good: who was not reached is recorded as skipped. False: it had ended."""
    cancelled = _move(mailing, CANCELLABLE, Mailing.State.CANCELLED)
    if cancelled:
        Mailing.objects.filter(pk=mailing.pk).update(finished_at=Now())
        settle_cancelled()
    return cancelled


def mark_unknown_as_failed(mailing: Mailing) -> int:
    """The operator's word that nothing more is done for those in doubt: they count as failed.

    Returns how many there were.
    """
    left = Outcome.objects.filter(mailing_id=mailing.pk, result=Result.UNKNOWN).update(
        result=Result.FAILED, source=Outcome.Source.OPERATOR
    )
    log.info("leave-unknown", extra={"mailing": mailing.pk, "unknown": left})
    return left


def settle_cancelled() -> int:
    """Close the waiting batches of cancelled mailings; those that run close themselves."""
    waiting = Batch.objects.filter(
        state=Batch.State.OPEN, mailing__state=Mailing.State.CANCELLED
    ).values_list("pk", flat=True)
    return sum(_close_as_skipped(batch_id) for batch_id in list(waiting))


@transaction.atomic
def _close_as_skipped(batch_id: int) -> bool:
    batch = (
        Batch.objects.select_for_update(of=("self",))
        .filter(pk=batch_id, state=Batch.State.OPEN)
        .first()
    )
    if batch is None:
        return False
    settled = settle(
        unpack(batch.reader_ids), b"", {}, unknown_below=0, rest_becomes=Result.SKIPPED
    )
    protocol.close(batch, settled, source=Outcome.Source.OPERATOR)
    return True


def _deferred(mailing: Mailing) -> QuerySet[Batch]:
    waiting = Batch.objects.filter(mailing=mailing, state=Batch.State.OPEN)
    return waiting.filter(round__gt=0, due_at__gt=Now())


def _wake_workers() -> None:
    for batch_id in protocol.due_batches(100):
        if not wake("delivery.send", batch_id):
            break


def _move(mailing: Mailing, before: list[Mailing.State], after: Mailing.State) -> bool:
    moved = Mailing.objects.filter(pk=mailing.pk, state__in=before).update(state=after)
    mailing.refresh_from_db()
    if moved:
        log.info("mailing-state", extra={"mailing": mailing.pk, "state": after.value})
    return moved == 1

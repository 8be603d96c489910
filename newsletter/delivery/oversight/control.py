"""Pause, resume and cancel a mailing. Each acts once, and only from a state that allows it."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.sending import protocol, transports
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
    """Stop sending within one step of each batch; return False if the mailing wasn't sending."""
    return _change_state(mailing, [Mailing.State.SENDING], Mailing.State.PAUSED)


def resume(mailing: Mailing) -> bool:
    """Continue a paused mailing; return False if it wasn't paused.

    After a refusal, the transport and the readers who were refused are tried again at once.
    """
    transport = mailing.hold_facts.get("transport", "")
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PAUSED).update(
        hold="", hold_detail="", hold_facts={}
    )
    resumed = _change_state(mailing, [Mailing.State.PAUSED], Mailing.State.SENDING)
    if resumed:
        if transport:
            transports.retry_now(transport)
            _deferred(mailing).update(due_at=Now())
        _wake_workers()
    return resumed


def may_retry_now(mailing: Mailing) -> bool:
    return mailing.state == Mailing.State.SENDING and _deferred(mailing).exists()


def retry_now(mailing: Mailing) -> int:
    """Retry deferred batches and the transports now; return how many batches."""
    for transport in transports.configured():
        transports.retry_now(transport.name)
    batches = _deferred(mailing).update(due_at=Now())
    if batches:
        log.info("retry-now", extra={"mailing": mailing.pk, "batches": batches})
        _wake_workers()
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
    _wake_workers()
    return batches + 1


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
    batch_ids = Batch.objects.filter(
        state=Batch.State.OPEN, mailing__state=Mailing.State.CANCELLED
    ).values_list("pk", flat=True)
    return sum(_close_as_skipped(batch_id) for batch_id in list(batch_ids))


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

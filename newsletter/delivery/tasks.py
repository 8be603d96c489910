"""The workers' Celery tasks: each takes IDs, calls one function and returns counts."""

from __future__ import annotations

import random
from time import monotonic

from celery import shared_task
from django.utils import timezone

from newsletter.delivery.feedback import memory, rates
from newsletter.delivery.oversight import control, kill_switch, restore_guard, retention
from newsletter.delivery.planning import dispatch, snapshot
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.sender import send_batch
from newsletter.delivery.transactional import outbox
from newsletter.delivery.worker import concurrency, shutdown
from newsletter.lib.queue import wake
from newsletter.lib.run_all import run_all
from subscribers import intake, personal_data
from subscribers.crypto import rotation
from subscribers.models import Intake

KEEP_SENDING_SECONDS = 60
"""How long one wake-up keeps a worker sending, well below the task's time limit."""
ROTATION_BATCH = 5000
"""How many readers one tick seals again under new keys: about a second's work."""
WEBHOOKS_PER_DRAIN = 300
"""How many providers' POSTs one drain reads: some seconds' work if each has 100 events."""
WEBHOOKS_AT_ONCE = 20
"""How many of them share a transaction."""
BATCH_CHOICES = 16
"""How many of the due batches a worker picks its next one from."""


@shared_task(name="delivery.tick")
def tick() -> dict[str, int]:
    """Each minute: start what is due, rescue what was lost, finish what is done."""
    restore_guard.watch()
    return run_all(
        [
            ("rescued", protocol.rescue_batches),
            ("transactional", outbox.rescue),
            ("dispatched", lambda: len(dispatch.dispatch())),
            ("prepared", dispatch.prepare_waiting),
            ("cancelled", control.settle_cancelled),
            ("finished", protocol.finish_mailings),
            ("woken", protocol.wake_due),
            ("rotated", lambda: rotation.rotate(ROTATION_BATCH).done),
            ("pruned", lambda: personal_data.prune(timezone.now())),
            ("paused", rates.check_all),
            ("forgotten", lambda: memory.prune(timezone.now())),
            ("collapsed", lambda: retention.collapse(timezone.now())),
        ]
    )


@shared_task(name="delivery.drain")
def drain() -> dict[str, int]:
    """Every few seconds: process the intake and send transactional emails.

    Both wait while the kill switch is on.
    """
    if kill_switch.is_engaged():
        return {}
    return run_all(
        [
            ("intake", lambda: intake.drain(200)),
            ("transactional", lambda: outbox.drain(100, stop=shutdown.requested)),
            ("webhooks", lambda: drain_webhooks(WEBHOOKS_PER_DRAIN)),
        ]
    )


def drain_webhooks(limit: int) -> int:
    """Read up to `limit` of the POSTs that providers sent; return how many."""
    return intake.drain_bulk(Intake.Kind.WEBHOOK, limit=limit, at_once=WEBHOOKS_AT_ONCE)


@shared_task(name="delivery.prepare")
def prepare(mailing_id: int) -> str:
    """Take one mailing's snapshot of its audience; return its state."""
    return snapshot.prepare(mailing_id).state


@shared_task(name="delivery.send")
def send(batch_id: int) -> int:
    """Send this batch, then others that are due; return how many.

    Does nothing if enough processes are sending: they continue with whatever is due.
    """
    with concurrency.sending_slot() as free:
        return _send_due(batch_id) if free else 0


def _must_wait() -> bool:
    """Return whether nothing can be sent now: the worker is to stop, or all transports are down.

    A tick wakes a worker once a pause is over.
    """
    return shutdown.requested() or transports.all_down()


def _send_due(batch_id: int) -> int:
    sent = int(send_batch(batch_id, stop=shutdown.requested))
    until = monotonic() + KEEP_SENDING_SECONDS
    while not _must_wait() and (due := protocol.due_batches(BATCH_CHOICES)):
        # A random one: if all workers took the first, they would compete for it.
        another = random.choice(due)  # noqa: S311
        if monotonic() >= until:
            wake("delivery.send", another)
            break
        # Transactional emails go ahead of bulk, also if no process is left for them.
        outbox.drain(20, stop=shutdown.requested)
        sent += send_batch(another, stop=shutdown.requested)
    return sent

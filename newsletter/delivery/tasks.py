"""The workers' tasks: ids in, one function called, counts out."""

from __future__ import annotations

import random
from time import monotonic

from celery import shared_task
from django.utils import timezone

from newsletter.delivery.oversight import control, kill_switch, restore_guard, retention
from newsletter.delivery.planning import dispatch, snapshot
from newsletter.delivery.sending import protocol, rescue
from newsletter.delivery.sending.sender import send_batch
from newsletter.delivery.transactional import outbox
from newsletter.delivery.worker import concurrency, shutdown
from newsletter.lib.queue import wake
from newsletter.lib.run_all import run_all
from subscribers import intake, personal_data
from subscribers.crypto import rotation

KEEP_SENDING_SECONDS = 60
"""How long one hint keeps a worker at what is due, well below the task's time limit."""
ROTATION_BATCH = 5000
"""Readers that a tick writes anew under new keys: a second's work."""
BATCH_CHOICES = 16


@shared_task(name="delivery.tick")
def tick() -> dict[str, int]:
    """Each minute: what is due, what was lost, what has ended."""
    restore_guard.watch()
    return run_all(
        [
            ("rescued", rescue.rescue_batches),
            ("transactional", outbox.rescue),
            ("dispatched", lambda: len(dispatch.dispatch())),
            ("prepared", dispatch.prepare_waiting),
            ("cancelled", control.settle_cancelled),
            ("finished", rescue.finish_mailings),
            ("woken", dispatch.wake_due),
            ("rotated", lambda: rotation.step(ROTATION_BATCH).done),
            ("pruned", lambda: personal_data.prune(timezone.now())),
            ("collapsed", lambda: retention.collapse(timezone.now())),
        ]
    )


@shared_task(name="delivery.drain")
def drain() -> dict[str, int]:
    """Each few seconds: arrivals are opened, letters sent; while the site is frozen they wait."""
    if kill_switch.is_engaged():
        return {}
    return run_all(
        [
            ("intake", lambda: intake.drain(200)),
            ("transactional", lambda: outbox.drain(100, stop=shutdown.requested)),
        ]
    )


@shared_task(name="delivery.prepare")
def prepare(mailing_id: int) -> str:
    """Freeze one mailing."""
    return snapshot.prepare(mailing_id).state


@shared_task(name="delivery.send")
def send(batch_id: int) -> int:
    """Send this batch, then others that are due; returns how many. Nothing is sent where as many
    processes as may send do so already: they go on with what is due by themselves."""
    with concurrency.sending_slot() as free:
        return _send_due(batch_id) if free else 0


def _send_due(batch_id: int) -> int:
    sent = int(send_batch(batch_id, stop=shutdown.requested))
    until = monotonic() + KEEP_SENDING_SECONDS
    while not shutdown.requested() and (due := protocol.due_batches(BATCH_CHOICES)):
        # Any of them: workers that all took the first would stand in each other's way.
        another = random.choice(due)  # noqa: S311
        if monotonic() >= until:
            wake("delivery.send", another)
            break
        # Ahead of bulk, where no process was left for them.
        outbox.drain(20, stop=shutdown.requested)
        sent += send_batch(another, stop=shutdown.requested)
    return sent

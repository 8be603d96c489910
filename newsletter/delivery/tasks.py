"""The workers' tasks: ids in, one function called, counts out."""

from __future__ import annotations

import random
from time import monotonic

from celery import shared_task
from django.utils import timezone

from newsletter.delivery import (
    control,
    dispatch,
    letters,
    panic,
    planner,
    progress,
    rescue,
    restored,
    retention,
    slots,
    stopping,
)
from newsletter.delivery.sender import send_batch
from newsletter.lib.queue import hint
from newsletter.lib.steps import in_turn
from subscribers import inbox, pruning, rotation

GO_ON_SECONDS = 60
"""How long one hint keeps a worker at what is due, well below the task's time limit."""
ROTATE = 5000
"""Readers that a tick writes anew under new keys: a second's work."""
SPREAD = 16


@shared_task(name="delivery.tick")
def tick() -> dict[str, int]:
    """Each minute: what is due, what was lost, what has ended."""
    restored.watch()
    return in_turn(
        [
            ("rescued", rescue.rescue_batches),
            ("letters", letters.rescue),
            ("dispatched", lambda: len(dispatch.dispatch())),
            ("prepared", dispatch.prepare_waiting),
            ("cancelled", control.settle_cancelled),
            ("finished", rescue.finish_mailings),
            ("hinted", dispatch.hint_due),
            ("rotated", lambda: rotation.step(ROTATE).done),
            ("pruned", lambda: pruning.prune(timezone.now())),
            ("collapsed", lambda: retention.collapse(timezone.now())),
        ]
    )


@shared_task(name="delivery.drain")
def drain() -> dict[str, int]:
    """Each few seconds: arrivals are opened, letters sent; while the site is frozen they wait."""
    if panic.is_frozen():
        return {}
    return in_turn(
        [
            ("arrivals", lambda: inbox.drain(200)),
            ("letters", lambda: letters.drain(100, stop=stopping.asked)),
        ]
    )


@shared_task(name="delivery.prepare")
def prepare(mailing_id: int) -> str:
    """Freeze one mailing."""
    return planner.prepare(mailing_id).state


@shared_task(name="delivery.send")
def send(batch_id: int) -> int:
    """Send this batch, then others that are due; returns how many. Nothing is sent where as many
    processes as may send do so already: they go on with what is due by themselves."""
    with slots.slot() as free:
        return _send_due(batch_id) if free else 0


def _send_due(batch_id: int) -> int:
    sent = int(send_batch(batch_id, stop=stopping.asked))
    until = monotonic() + GO_ON_SECONDS
    while not stopping.asked() and (due := progress.due_batches(SPREAD)):
        # Any of them: workers that all took the first would stand in each other's way.
        another = random.choice(due)  # noqa: S311
        if monotonic() >= until:
            hint("delivery.send", another)
            break
        # Ahead of bulk, where no process was left for them.
        letters.drain(20, stop=stopping.asked)
        sent += send_batch(another, stop=stopping.asked)
    return sent

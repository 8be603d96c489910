"""Wake the workers for batches that are due."""

from __future__ import annotations

from newsletter.delivery.sending import protocol
from newsletter.lib import queue

WAKE_UPS = 100
"""How many wake-ups may wait at a time. Each worker then takes whatever is due, so a few do."""


def wake_batches(batch_ids: list[int]) -> int:
    """Wake workers for the first of the batches, until the broker can't be reached; return for how
    many."""
    woken = 0
    for batch_id in batch_ids[:WAKE_UPS]:
        if not queue.wake("delivery.send", batch_id):
            break
        woken += 1
    return woken


def wake_due() -> int:
    """Wake workers for batches that are due; return for how many.

    No more than WAKE_UPS may wait at a time, or they would pile up during a long mailing.
    """
    due = protocol.due_batches(WAKE_UPS)
    waiting = queue.waiting(queue.BULK) if due else None
    if waiting is None:
        return 0
    return wake_batches(due[waiting:])

"""What is repaired: batches whose worker died, and mailings left unfinished.

Each tick does this, and each worker's recovery (newsletter.delivery.worker.recovery).
"""

from __future__ import annotations

from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.sending import protocol
from newsletter.lib import processes


def end_lost_leases() -> int:
    """End the leases of processes that ran on this host and are gone; return how many.

    Nobody has to wait for a process that can't come back. If the batch has been claimed by another
    process in the meantime, its fence protects it.
    """
    own_host = processes.host_id()
    if not own_host:
        return 0
    claimed = Batch.objects.filter(
        state=Batch.State.CLAIMED, claimed_by__startswith=f"{own_host}:", lease_until__gt=Now()
    )
    ended = 0
    for batch_id, fence, holder in claimed.values_list("pk", "fence", "claimed_by"):
        if processes.is_gone(holder):
            held = Batch.objects.filter(pk=batch_id, fence=fence, state=Batch.State.CLAIMED)
            ended += held.update(lease_until=Now())
    return ended


def rescue_batches() -> int:
    """Close claimed batches whose lease ran out; return how many."""
    lost = Batch.objects.filter(state=Batch.State.CLAIMED, lease_until__lte=Now())
    ids = lost.values_list("pk", flat=True)[:1000]
    return sum(protocol.finish_lost(batch_id) is not None for batch_id in ids)


def finish_mailings() -> int:
    """Mark mailings finished whose batches are all closed; return how many."""
    sending = Mailing.objects.filter(state=Mailing.State.SENDING).values_list("pk", flat=True)
    return sum(protocol.finish_mailing(mailing_id) for mailing_id in sending)

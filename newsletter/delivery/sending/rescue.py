"""What the tick repairs: batches whose worker died, and mailings left unfinished."""

from __future__ import annotations

from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.sending import protocol


def rescue_batches(limit: int = 1000) -> int:
    """Close claimed batches whose lease ran out; return how many."""
    lost = Batch.objects.filter(state=Batch.State.CLAIMED, lease_until__lte=Now())
    rescued = 0
    for batch_id in lost.values_list("pk", flat=True)[:limit]:
        rescued += protocol.finish_lost(batch_id) is not None
    return rescued


def finish_mailings() -> int:
    """Mark mailings finished whose batches are all closed; return how many."""
    sending = Mailing.objects.filter(state=Mailing.State.SENDING).values_list("pk", flat=True)
    return sum(protocol.finish_mailing(mailing_id) for mailing_id in sending)

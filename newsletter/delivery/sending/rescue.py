"""What each minute puts right: batches whose worker is gone, hints that were lost."""

from __future__ import annotations

from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.sending import protocol


def rescue_batches(limit: int = 1000) -> int:
    """Finish claimed batches whose lease ran out; returns how many."""
    lost = Batch.objects.filter(state=Batch.State.CLAIMED, lease_until__lte=Now())
    rescued = 0
    for batch_id in lost.values_list("pk", flat=True)[:limit]:
        rescued += protocol.finish_lost(batch_id) is not None
    return rescued


def finish_mailings() -> int:
    """Mark mailings finished that have no open batch; returns how many."""
    sending = Mailing.objects.filter(state=Mailing.State.SENDING).values_list("pk", flat=True)
    return sum(protocol.finish_mailing(mailing_id) for mailing_id in sending)

"""What is kept of a send-out, and for how long.

After `RETENTION_DAYS` a mailing that has no unknowns collapses: who got it is forgotten, how
many is kept, in all and per edition. The editions stay: what was sent can be looked at. A closed
mailing can't be sent again.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.report import report
from newsletter.transport.outcomes import Result

log = logging.getLogger(__name__)


def collapsible(now: datetime) -> QuerySet[Mailing]:
    """Mailings whose time has come and about which nothing is open."""
    unfinished = Batch.objects.filter(mailing=OuterRef("pk")).exclude(state=Batch.State.CLOSED)
    unknown = Outcome.objects.filter(mailing_id=OuterRef("pk"), result=Result.UNKNOWN)
    return Mailing.objects.filter(
        ~Exists(unfinished),
        ~Exists(unknown),
        state__in=[Mailing.State.FINISHED, Mailing.State.CANCELLED],
        finished_at__lt=now - timedelta(days=settings.RETENTION_DAYS),
    )


def collapse(now: datetime) -> int:
    """Close them; returns how many."""
    return sum(_collapse(pk) for pk in list(collapsible(now).values_list("pk", flat=True)))


@transaction.atomic
def _collapse(mailing_id: int) -> bool:
    mailing = Mailing.objects.select_for_update().get(pk=mailing_id)
    if mailing.state == Mailing.State.CLOSED:
        return False
    counts = {**report(mailing).as_dict(), "editions": _per_edition(mailing)}
    Outcome.objects.filter(mailing_id=mailing_id).delete()
    ReleaseRecipient.objects.filter(mailing_id=mailing_id).delete()
    Batch.objects.filter(mailing_id=mailing_id).update(predecessor=None)
    Batch.objects.filter(mailing_id=mailing_id).delete()
    Mailing.objects.filter(pk=mailing_id).update(state=Mailing.State.CLOSED, counts=counts)
    log.info("collapse", extra={"mailing": mailing_id, "readers": mailing.readers})
    return True


def _per_edition(mailing: Mailing) -> dict[str, dict[str, int]]:
    """{edition's public id: {result: readers}}."""
    editions = dict(Batch.objects.filter(mailing=mailing).values_list("pk", "edition__public_id"))
    found: dict[str, Counter[str]] = {}
    rows = Outcome.objects.filter(mailing_id=mailing.pk, batch_id__isnull=False)
    for batch_id, result, number in rows.values_list("batch_id", "result").annotate(
        number=Count("subscriber_id")
    ):
        name = editions[batch_id]
        found.setdefault(name, Counter())[Result(result).name.lower()] += number
    return {name: dict(counts) for name, counts in found.items()}

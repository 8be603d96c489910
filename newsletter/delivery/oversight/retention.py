"""Reduce old mailings to counts.

After `RETENTION_DAYS`, a mailing without unknown outcomes is closed: the rows about its readers are
deleted, and only counts are kept, in total and for each edition. Its editions stay, so that one can
still look up what was sent. A closed mailing can't be sent again.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from newsletter.delivery.feedback.memory import collapse_events
from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.report import report
from newsletter.transport.outcomes import Result

log = logging.getLogger(__name__)


def collapse(now: datetime) -> int:
    """Close old mailings that have ended and have nothing left to settle; return how many."""
    unfinished = Batch.objects.filter(mailing=OuterRef("pk")).exclude(state=Batch.State.CLOSED)
    unknown = Outcome.objects.filter(mailing_id=OuterRef("pk"), result=Result.UNKNOWN)
    due = Mailing.objects.filter(
        ~Exists(unfinished),
        ~Exists(unknown),
        state__in=[Mailing.State.FINISHED, Mailing.State.CANCELLED],
        finished_at__lt=now - timedelta(days=settings.RETENTION_DAYS),
    )
    return sum(_collapse(pk) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _collapse(mailing_id: int) -> bool:
    mailing = Mailing.objects.select_for_update().get(pk=mailing_id)
    if mailing.state == Mailing.State.CLOSED:
        return False
    counts = {**report(mailing).as_dict(), "editions": _per_edition(mailing)}
    collapse_events(mailing)
    Outcome.objects.filter(mailing_id=mailing_id).delete()
    ReleaseRecipient.objects.filter(mailing_id=mailing_id).delete()
    Batch.objects.filter(mailing_id=mailing_id).update(predecessor=None)
    Batch.objects.filter(mailing_id=mailing_id).delete()
    Mailing.objects.filter(pk=mailing_id).update(state=Mailing.State.CLOSED, counts=counts)
    log.info("collapse", extra={"mailing": mailing_id, "readers": mailing.readers})
    return True


def _per_edition(mailing: Mailing) -> dict[str, dict[str, int]]:
    """Return how many readers got which result: {edition's public ID: {result: readers}}."""
    editions = dict(Batch.objects.filter(mailing=mailing).values_list("pk", "edition__public_id"))
    found: dict[str, Counter[str]] = {}
    outcomes = Outcome.objects.filter(mailing_id=mailing.pk, batch_id__isnull=False)
    rows = outcomes.values_list("batch_id", "result").annotate(readers=Count("subscriber_id"))
    for batch_id, result, readers in rows:
        counts = found.setdefault(editions[batch_id], Counter())
        counts[Result(result).name.lower()] += readers
    return {public_id: dict(counts) for public_id, counts in found.items()}

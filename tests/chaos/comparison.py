"""Compare the relay's record with the recorded outcomes. Needs django.setup()."""

from __future__ import annotations

import sys
from collections import Counter

from newsletter.delivery.models import Mailing, Outcome
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.transport.outcomes import Result
from subscribers.models import Subscriber
from tests.chaos.servers import Sink

Rows = list[tuple[str, object]]


def compare_records(
    mailing: Mailing,
    sink: Sink,
    *,
    title: str,
    events: Rows,
    max_unknown: int,
    explanation: str,
    max_per_batch: int,
) -> bool:
    """Print a table, and return whether everything is as P1 promises.

    At most `max_unknown` readers may be unknown in all (`explanation` says why), and at most
    `max_per_batch` of any one batch.
    """
    mailing.refresh_from_db()
    accepted = Counter(sink.accepted())
    results = _results(mailing)
    counts = report(mailing)
    unknown = {n for n, r in results.items() if r is Result.UNKNOWN}
    sent = {n for n, r in results.items() if r is Result.SENT}
    [finding] = audit(mailing.pk)
    lost = counts.readers - len(results) + len(sent - set(accepted))
    twice = sum(n > 1 for n in accepted.values())
    outside = len(set(accepted) - sent - unknown)
    worst = max(_unknown_by_batch(mailing).values(), default=0)
    rows: Rows = [
        *events,
        ("readers", counts.readers),
        ("sent", counts.sent),
        ("refused, failed, skipped", counts.refused + counts.failed + counts.skipped),
        ("unknown", counts.unknown),
        ("  accepted by the relay", len(unknown & set(accepted))),
        (f"  at most ({explanation})", max_unknown),
        ("  in the batch with the most", worst),
        ("  per batch at most", max_per_batch),
        ("lost", lost),
        ("sent twice", twice),
        ("accepted outside the declared doubt", outside),
        ("state of the mailing", mailing.state),
        ("audit", "; ".join(finding.faults) or "balances"),
    ]
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:83} {value}")
    sys.stdout.flush()
    within = counts.unknown <= max_unknown and worst <= max_per_batch
    agrees = within and not (lost or twice or outside or finding.faults)
    return agrees and mailing.state == Mailing.State.FINISHED


def _unknown_by_batch(mailing: Mailing) -> Counter[int | None]:
    """Return how many readers each batch, by its ID, left unknown."""
    unknown = Outcome.objects.filter(mailing_id=mailing.pk, result=Result.UNKNOWN)
    return Counter(unknown.values_list("batch_id", flat=True))


def _results(mailing: Mailing) -> dict[int, Result]:
    """Return the results by the reader's number. Readers were added in that order."""
    first = Subscriber.objects.order_by("pk").values_list("pk", flat=True)[0]
    rows = Outcome.objects.filter(mailing_id=mailing.pk).values_list("subscriber_id", "result")
    return {subscriber - first: Result(value) for subscriber, value in rows.iterator()}

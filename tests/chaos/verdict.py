"""The relay's record against the account. Needs django.setup()."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from newsletter.delivery.account import account
from newsletter.delivery.audit import audit
from newsletter.delivery.models import Mailing, Outcome
from newsletter.transport.outcomes import Result
from subscribers.models import Subscriber
from tests.chaos.chaos import KILLS, Chaos


def judge(
    mailing: Mailing, record: Path, chaos: Chaos, *, title: str, doubt: int, ahead: int
) -> bool:
    """Print the table; whether all of it is as DESIGN.md promises."""
    mailing.refresh_from_db()
    events = [line.split() for line in record.read_text().splitlines()]
    taken = Counter(int(event[1]) for event in events if event[0] == "A")
    cut = sum(event[0] == "H" for event in events)
    result = _results(mailing)
    counts = account(mailing)
    unknown = {n for n, r in result.items() if r is Result.UNKNOWN}
    sent = {n for n, r in result.items() if r is Result.SENT}
    bound = chaos.open_batches * doubt + cut * ahead
    [finding] = audit(mailing.pk)
    kills = sum(chaos.happened[name] for name in KILLS)
    lost = counts.readers - len(result) + len(sent - set(taken))
    twice = sum(n > 1 for n in taken.values())
    outside = len(set(taken) - sent - unknown)
    rows: list[tuple[str, object]] = [
        ("kills", kills),
        *((f"  {name}", n) for name, n in sorted(chaos.happened.items())),
        ("seconds", round(chaos.seconds)),
        ("readers", counts.readers),
        ("sent", counts.sent),
        ("refused, failed, skipped", counts.refused + counts.failed + counts.skipped),
        ("unknown", counts.unknown),
        ("  of them accepted by the relay", len(unknown & set(taken))),
        ("  at most (2 × STEP + connections of each batch struck, and its connections cut)", bound),
        ("lost", lost),
        ("sent twice", twice),
        ("accepted outside the declared doubt", outside),
        ("the mailing is", mailing.state),
        ("audit", "; ".join(finding.faults) or "balances"),
    ]
    print(f"\nChaos on {title}")
    for name, value in rows:
        print(f"  {name:72} {value}")
    agrees = not (lost or twice or outside or finding.faults or counts.unknown > bound)
    return agrees and mailing.state == Mailing.State.FINISHED


def _results(mailing: Mailing) -> dict[int, Result]:
    """Number of the reader -> result. Readers were added in the order of their numbers."""
    first = Subscriber.objects.order_by("pk").values_list("pk", flat=True)[0]
    rows = Outcome.objects.filter(mailing_id=mailing.pk).values_list("subscriber_id", "result")
    return {subscriber - first: Result(value) for subscriber, value in rows}

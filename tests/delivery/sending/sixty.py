"""A mailing to sixty readers, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Event, Mailing, TransportState
from newsletter.delivery.oversight import alerts, control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.sender import compiled_edition, send_batch
from newsletter.editorial.models import Issue
from subscribers.models import Suppression
from tests.chaos.newsroom import add_readers
from tests.delivery.conftest import prepare_mailing, send_all_due

READERS = 60
FIRST = 20
"""So many are accepted before a relay or provider starts to refuse."""


class Fate(NamedTuple):
    """What became of the sixty: how many got it, wait or failed, and what staff were told."""

    sent: int = 0
    waiting: int = 0
    refused: int = 0
    failed: int = 0
    state: str = Mailing.State.SENDING
    hold: str = ""
    alerts: tuple[str, ...] = ()


def held(sent: int) -> Fate:
    """Return the fate of a mailing that was held after so many had been sent to."""
    return Fate(
        sent,
        READERS - sent,
        state=Mailing.State.PAUSED,
        hold=Mailing.Hold.REFUSED,
        alerts=("held", "transport"),
    )


def outage(sent: int) -> Fate:
    """Return the fate of a mailing whose readers wait for the relay to come back."""
    return Fate(sent, READERS - sent, alerts=("transport",))


def deferred(sent: int) -> Fate:
    """Return the fate of a mailing whose readers wait for reasons of their mailboxes."""
    return Fate(sent, READERS - sent)


EVERYBODY_GOT_IT = Fate(READERS, state=Mailing.State.FINISHED)


def prepare(issue: Issue, settings: Any, url: str) -> Mailing:
    """Add sixty readers, make `url` the only transport, and prepare a mailing."""
    add_readers(issue.newsletter, range(READERS))
    use(settings, url)
    return prepare_mailing(issue)


def use(settings: Any, *urls: str) -> None:
    """Make these the only transports."""
    settings.DELIVERY_TRANSPORTS = list(urls)
    transports.reset()
    compiled_edition.cache_clear()


def send_what_is_due() -> None:
    """Send as workers do in the first minute: one that is refused waits for its pause."""
    for _ in range(20):
        due = protocol.due_batches(1)
        if not due or not send_batch(due[0]):
            return
    raise AssertionError("there is always another batch due")


def fate(mailing: Mailing) -> Fate:
    """Return what became of the sixty, two ticks later. The audit must balance (P1)."""
    [finding] = audit(mailing.pk)
    assert finding.faults == []
    assert finding.report.unknown == finding.report.skipped == 0
    TransportState.objects.exclude(down_since=None).update(
        down_since=Now() - timedelta(seconds=120)
    )
    alerts.watch()
    mailing.refresh_from_db()
    counts = finding.report
    return Fate(
        counts.sent,
        counts.waiting,
        counts.refused,
        counts.failed,
        mailing.state,
        mailing.hold,
        tuple(sorted(alerts.open_alerts().values_list("kind", flat=True))),
    )


def assert_nobody_is_blamed() -> None:
    """Nothing counts against a reader, now or in a later mailing."""
    assert not Suppression.objects.exists()
    assert not Event.objects.exists()


def finish(mailing: Mailing) -> None:
    """Resume the mailing if it is held, as staff do once the cause is gone, and send the rest.

    The worker has been restarted in the meantime, so it no longer knows how long it had to wait.
    """
    transports.reset()
    control.resume(mailing)
    Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
    send_all_due()
    assert report(mailing).sent == READERS
    assert audit(mailing.pk)[0].faults == []

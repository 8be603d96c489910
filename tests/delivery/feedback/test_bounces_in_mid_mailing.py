"""Many bounces, posted while a mailing is being sent (D4; issue 11, criterion 6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from newsletter.delivery import tasks
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event, Mailing, MailingRates
from newsletter.delivery.oversight import alerts, control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.sending import protocol
from newsletter.delivery.sending.sender import send_batch
from newsletter.editorial.models import Issue
from newsletter.transport.memory import MemoryTransport
from subscribers.models import Subscriber, Suppression
from tests.chaos.newsroom import add_readers
from tests.delivery.conftest import prepare_mailing, send_all_due
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.payloads import Who, body
from tests.delivery.feedback.signing import send

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
READERS, SENT = 2000, 1000


@pytest.fixture
def mailing(
    relay: MemoryTransport, issue: Issue, write_article: Callable[..., Any], settings: Any
) -> Mailing:
    """A mailing to 2,000 readers, half of whom have been sent to."""
    settings.SEND_BATCH_SIZE = 250
    write_article(issue=issue, en="Minsk looks east")
    add_readers(issue.newsletter, range(READERS))
    mailing = prepare_mailing(issue)
    for batch in protocol.due_batches(SENT // 250):
        assert send_batch(batch)
    assert report(mailing).sent == SENT
    return mailing


def post_bounces(mailing: Mailing, numbers: range, relay: MemoryTransport) -> None:
    """Let SendGrid post that these emails bounced, twenty events at a time, and read it."""
    addresses = [message.address for message in relay.delivered]
    first = Subscriber.objects.order_by("pk").values_list("pk", flat=True)[0]
    for start in range(numbers.start, numbers.stop, 20):
        bounced = []
        for number in range(start, min(start + 20, numbers.stop)):
            reader = first + int(addresses[number].partition("@")[0].removeprefix("r"))
            trace = MessageTrace(MAILING, mailing.pk, reader)
            bounced.append(Who(addresses[number], delivery_id(trace), event_id=f"event-{number}"))
        assert send("sendgrid", body("sendgrid", "hard", *bounced)) == 200
    tasks.run_drain()
    tasks.run_tick()
    # The limits are compared once in a few seconds at most.
    MailingRates.objects.update(checked_at=F("checked_at") - timedelta(seconds=60))


def open_alerts() -> set[str]:
    return set(alerts.open_alerts().values_list("kind", flat=True))


def test_d4_three_percent_warn_and_six_pause_the_mailing_and_the_report_balances(
    mailing: Mailing, relay: MemoryTransport
) -> None:
    post_bounces(mailing, range(30), relay)

    mailing.refresh_from_db()
    assert (mailing.state, open_alerts()) == (Mailing.State.SENDING, {"rates"})

    post_bounces(mailing, range(30, 60), relay)

    mailing.refresh_from_db()
    assert (mailing.state, mailing.hold) == (Mailing.State.PAUSED, Mailing.Hold.RATES)
    assert mailing.hold_facts["bounced"] == 60
    assert "held" in open_alerts()
    send_all_due()
    assert report(mailing).sent == SENT, "nobody is sent to while it is paused"

    assert control.resume(mailing)
    send_all_due()

    [finding] = audit(mailing.pk)
    assert finding.faults == []
    assert (finding.report.sent, finding.report.readers) == (READERS, READERS)
    assert finding.state == Mailing.State.FINISHED
    assert Event.objects.filter(kind=Event.Kind.BOUNCED).count() == 60
    assert Suppression.objects.count() == 60
    assert sorted(message.address for message in relay.delivered) == sorted(
        {message.address for message in relay.delivered}
    )
    tasks.run_tick()
    assert "held" not in open_alerts()

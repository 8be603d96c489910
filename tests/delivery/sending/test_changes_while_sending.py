"""Changes in the middle of a mailing: the answer is clear, and the audit still balances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from newsletter.delivery.models import Batch, Mailing, Release
from newsletter.delivery.oversight import control, retention
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.planning import dispatch, start
from newsletter.delivery.sending import protocol, rescue
from newsletter.editorial.models import Article, ArticleTranslation, Issue, Newsletter, User
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers import personal_data
from subscribers.models import Subscription
from tests.approving import approve_all
from tests.delivery.conftest import call_at, send_all_due

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
EVERYONE = [f"r{number}@readers.example" for number in range(10)]


@pytest.fixture(autouse=True)
def _windows_of_four(settings: Any) -> None:
    settings.SEND_STEP = 4


def faults(mailing: Mailing) -> list[str]:
    [finding] = audit(mailing.pk)
    return finding.faults


def addresses(relay: MemoryTransport) -> list[str]:
    return sorted(message.address for message in relay.delivered)


def test_changing_and_deleting_the_issue_does_not_change_what_is_sent(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """E6: everyone gets the edition as it was when the snapshot was taken."""

    def change() -> None:
        ArticleTranslation.objects.update(headline="Changed afterwards", body="<p>No more.</p>")
        Article.objects.all().delete()
        Issue.objects.all().delete()

    relay.on_message = call_at(2, change)
    send_all_due()
    assert addresses(relay) == EVERYONE
    assert all(b"Minsk looks east" in message.message for message in relay.delivered)
    assert not any(b"Changed afterwards" in message.message for message in relay.delivered)
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.FINISHED
    assert faults(prepared_mailing) == []


def test_cancelling_twice_in_the_middle_of_a_mailing_cancels_it_once(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    answers: list[bool] = []
    relay.on_message = call_at(
        1,
        lambda: answers.extend(
            [control.cancel(prepared_mailing), control.cancel(prepared_mailing)]
        ),
    )
    send_all_due()
    assert answers == [True, False]
    assert not control.cancel(prepared_mailing)
    assert not control.pause(prepared_mailing)
    assert not control.resume(prepared_mailing)
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.CANCELLED
    assert (report(prepared_mailing).sent, report(prepared_mailing).skipped) == (4, 6)
    assert faults(prepared_mailing) == []


@pytest.mark.parametrize("audience", [Mailing.Audience.UNREACHED, Mailing.Audience.IN_DOUBT])
def test_resending_a_closed_mailing_is_refused_with_an_explanation(
    prepared_mailing: Mailing, relay: MemoryTransport, audience: Mailing.Audience
) -> None:
    relay.script("r1@readers.example", Result.REFUSED, code=550)
    send_all_due()
    assert retention.collapse(timezone.now() + timedelta(days=400)) == 1
    with pytest.raises(start.CannotSendError, match="Only its counts are kept"):
        start.send_again(prepared_mailing.release, audience, by=None)
    assert Mailing.objects.count() == 1
    assert len(relay.delivered) == 9
    assert faults(prepared_mailing) == []


@pytest.mark.parametrize("permitted", [False, True])
def test_a_batch_whose_readers_were_all_erased_is_skipped(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    readers: list[Subscription],
    *,
    permitted: bool,
) -> None:
    """B9: before the batch is claimed, or while it is being sent."""

    def erase_all() -> None:
        for reader in readers:
            personal_data.erase(reader.subscriber)

    if permitted:
        relay.on_message = call_at(3, erase_all)
    else:
        erase_all()
    send_all_due()
    sent = 4 if permitted else 0
    assert len(relay.delivered) == sent
    assert (report(prepared_mailing).sent, report(prepared_mailing).skipped) == (sent, 10 - sent)
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.FINISHED
    assert faults(prepared_mailing) == []


def test_setting_back_a_workers_clock_changes_nothing(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """Leases and due times follow the database's clock."""
    clock = time_machine.travel(timezone.now() - 24 * HOUR, tick=True)
    relay.on_message = call_at(2, clock.start)
    try:
        send_all_due()
        assert rescue.rescue_batches() == 0
    finally:
        clock.stop()
    assert addresses(relay) == EVERYONE
    assert faults(prepared_mailing) == []


def test_setting_back_the_databases_clock_delays_readers_but_loses_nobody(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """After a clock goes back an hour, every stored time lies an hour ahead."""
    relay.on_message = call_at(2, _set_clock_back)
    relay.down_after = 6
    send_all_due()
    assert (report(prepared_mailing).sent, report(prepared_mailing).waiting) == (6, 4)
    relay.down_after = None
    Batch.objects.update(due_at=F("due_at") - HOUR)  # the first ones are due again
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    assert protocol.permit(claim, upto=2, results=b"", replies={})
    _set_clock_back()
    assert rescue.rescue_batches() == 0, "its worker died, but its lease lasts an hour longer"
    Batch.objects.update(lease_until=F("lease_until") - 2 * HOUR)
    assert rescue.rescue_batches() == 1
    Batch.objects.filter(state=Batch.State.OPEN).update(due_at=F("due_at") - HOUR)
    send_all_due()
    assert (report(prepared_mailing).sent, report(prepared_mailing).unknown) == (8, 2)
    assert len(set(addresses(relay))) == len(relay.delivered) == 8
    assert faults(prepared_mailing) == []


def _set_clock_back() -> None:
    Batch.objects.update(
        due_at=F("due_at") + HOUR,
        lease_until=F("lease_until") + HOUR,
        give_up_at=F("give_up_at") + HOUR,
    )


def test_setting_back_the_clock_after_the_scheduled_time_sends_nothing_twice(
    weekly: Newsletter,
    issue: Issue,
    write_article: Callable[..., Article],
    relay: MemoryTransport,
    readers: list[Subscription],
    editor: User,
) -> None:
    due = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)  # Monday, 09:00 in Minsk
    write_article(issue=issue, en="Army", published_at=due - HOUR)
    approve_all()
    Newsletter.objects.update(schedule_active=True, schedule_since=due - timedelta(days=3))
    for now in (due, due - HOUR, due - timedelta(days=1), due, due + HOUR):
        dispatch.dispatch(now)
        dispatch.prepare_waiting()
        send_all_due()
    assert addresses(relay) == EVERYONE
    assert Release.objects.count() == Mailing.objects.count() == 1
    issue.refresh_from_db()
    start.send_now(issue, by=editor)  # also when an editor asks for it
    send_all_due()
    assert len(relay.delivered) == 10
    assert faults(Mailing.objects.get()) == []

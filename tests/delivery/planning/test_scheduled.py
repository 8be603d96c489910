"""Mailings at a set time, and issues that an editor keeps from the schedule (issue 13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight import control
from newsletter.delivery.planning import dispatch, snapshot, start
from newsletter.delivery.planning.readers import count_readers
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.editorial.schedule import occurrence_sending
from newsletter.transport.memory import MemoryTransport
from tests.approving import approve
from tests.delivery.conftest import AddReader, send_all_due

Hold, State = Mailing.Hold, Mailing.State
DUE = datetime(2099, 8, 3, 6, 0, tzinfo=UTC)
"""Monday, 3 August 2099, 09:00 in Minsk: the schedule sends 27 July – 2 August."""
AT = DUE + timedelta(hours=3)


@pytest.fixture
def planned(weekly: Newsletter, issue: Issue, write_article: Callable[..., Article]) -> Issue:
    """An approved issue of a week that is ahead, whatever the clock says."""
    Newsletter.objects.update(schedule_active=True, schedule_since=DUE - timedelta(days=3))
    Issue.objects.update(
        starts_on=DUE.date() - timedelta(days=7), ends_on=DUE.date() - timedelta(1)
    )
    issue = Issue.objects.get()
    assert occurrence_sending(issue.newsletter.rule, issue.last_week).at == DUE
    write_article(issue=issue, en="Army", published_at=datetime(2017, 1, 1, tzinfo=UTC))
    return approve(issue)


def test_a_mailing_starts_at_its_time_once_and_the_schedule_adds_none(
    planned: Issue, relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en")
    mailing = start.schedule(planned, AT, by=None)
    assert (mailing.state, mailing.send_at) == (State.SCHEDULED, AT)
    assert dispatch.dispatch(DUE) == []
    assert dispatch.dispatch(AT - timedelta(minutes=1)) == []
    assert dispatch.dispatch(AT) == [mailing]
    assert dispatch.dispatch(AT) == []
    snapshot.prepare(mailing.pk)
    send_all_due()
    assert len(relay.delivered) == 1
    assert Mailing.objects.count() == 1


def test_a_time_that_has_passed_is_refused(planned: Issue) -> None:
    with pytest.raises(start.CannotSendError, match="has passed"):
        start.schedule(planned, datetime(2026, 1, 1, tzinfo=UTC), by=None)
    assert not Mailing.objects.exists()


def test_another_time_moves_the_same_mailing_and_now_starts_it(planned: Issue) -> None:
    first = start.schedule(planned, AT, by=None)
    moved = start.schedule(planned, AT + timedelta(days=1), by=None)
    assert (moved.pk, moved.send_at) == (first.pk, AT + timedelta(days=1))
    assert dispatch.dispatch(AT) == []
    now = start.send_now(planned, by=None)
    assert (now.pk, now.state, now.send_at) == (first.pk, State.PREPARING, None)


def test_one_that_has_started_keeps_its_state(planned: Issue) -> None:
    mailing = start.send_now(planned, by=None)
    assert start.schedule(planned, AT, by=None).state == State.PREPARING
    assert start.hold_by_hand(planned, by=None) is None
    assert Mailing.objects.get() == mailing


def test_a_cancelled_one_does_not_start_and_can_be_scheduled_again(planned: Issue) -> None:
    mailing = start.schedule(planned, AT, by=None)
    assert control.cancel(mailing)
    assert dispatch.dispatch(AT) == []
    again = start.schedule(planned, AT, by=None)
    assert (again.pk, again.state, again.finished_at) == (mailing.pk, State.SCHEDULED, None)


def test_i2_an_approval_withdrawn_since_holds_it_until_it_is_approved(planned: Issue) -> None:
    mailing = start.schedule(planned, AT, by=None)
    Article.objects.get().translations.update(headline="Changed")
    assert dispatch.dispatch(AT) == []
    mailing.refresh_from_db()
    assert (mailing.state, mailing.hold) == (State.HELD, Hold.CHANGED)
    approve(planned)
    assert dispatch.dispatch(AT + timedelta(hours=1)) == [mailing]


def test_e3_late_by_hours_it_is_held_for_good(planned: Issue) -> None:
    mailing = start.schedule(planned, AT, by=None)
    for hours in (13, 14):
        assert dispatch.dispatch(AT + timedelta(hours=hours)) == []
        mailing.refresh_from_db()
        assert (mailing.state, mailing.hold) == (State.HELD, Hold.LATE)


def test_one_language_first_leaves_the_others_to_the_schedule(planned: Issue) -> None:
    early = start.schedule(planned, DUE - timedelta(hours=2), by=None, first_language="be")
    assert dispatch.dispatch(DUE - timedelta(hours=2)) == [early]
    [rest] = dispatch.dispatch(DUE)
    assert (rest.audience, rest.pk != early.pk) == (Mailing.Audience.ALL, True)


def test_an_issue_held_by_hand_waits_until_it_is_released(planned: Issue) -> None:
    held = start.hold_by_hand(planned, by=None)
    assert held is not None
    assert dispatch.dispatch(DUE) == []
    assert start.release_hold(held, at=AT)
    assert not start.release_hold(held, at=AT)
    assert dispatch.dispatch(AT) == [held]


def test_released_too_late_it_stays_until_an_editor_sends_it(planned: Issue) -> None:
    held = start.hold_by_hand(planned, by=None)
    assert held is not None
    assert start.release_hold(held, at=None)
    assert dispatch.dispatch(DUE) == []
    assert start.send_now(planned, by=None).state == State.PREPARING


def test_paused_while_it_is_prepared_it_takes_nobody(planned: Issue, add_reader: AddReader) -> None:
    add_reader("ala@readers.example", "en")
    mailing = start.send_now(planned, by=None)
    assert control.pause(mailing)
    assert snapshot.prepare(mailing.pk).state == State.PAUSED
    assert control.resume(mailing)
    assert snapshot.prepare(mailing.pk).readers == 1


def test_paused_in_mid_snapshot_nothing_of_it_stays(
    planned: Issue, add_reader: AddReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_reader("ala@readers.example", "en")
    mailing = start.send_now(planned, by=None)

    def pause_meanwhile(*_args: object) -> None:
        Mailing.objects.filter(pk=mailing.pk).update(state=State.PAUSED)

    monkeypatch.setattr(snapshot, "check_still_approved", pause_meanwhile)
    # The pause is in the same transaction here, so it is rolled back, too, and tried again.
    assert snapshot.prepare(mailing.pk).state == State.PREPARING
    assert not mailing.batches.exists()
    assert count_readers(planned).already == 0


def test_the_count_is_of_readers_who_will_get_it(
    planned: Issue, relay: MemoryTransport, add_reader: AddReader
) -> None:
    add_reader("ala@readers.example", "en")
    add_reader("bob@readers.example", "en", "be")
    add_reader("vera@readers.example", "be")  # nothing is in Belarusian
    counts = count_readers(planned)
    assert (counts.everyone, counts.first("en"), counts.empty) == (2, 2, 1)
    snapshot.prepare(start.send_now(planned, by=None).pk)
    send_all_due()
    add_reader("new@readers.example", "en")
    counts = count_readers(planned)
    assert (counts.everyone, counts.already, counts.empty) == (1, 3, 0)
    assert counts.of("unreached") == 1  # the one who was skipped

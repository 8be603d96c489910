"""E10: after a restored backup, open mailings wait for the operator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from newsletter.delivery.models import Continuity, Mailing, WorkerRecord
from newsletter.delivery.oversight import control, restore_guard
from newsletter.delivery.oversight.restore_guard import Sighting, is_restored
from newsletter.delivery.planning import dispatch
from newsletter.delivery.worker import recovery
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.transport.memory import MemoryTransport
from subscribers.models import Subscription, TransactionalEmail
from tests.approving import approve_all
from tests.delivery.conftest import send_all_due

State = Mailing.State


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_guard, "_last_sighting", None)


@pytest.fixture
def machine(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], int]:
    """A function that lets a worker on the named machine look at the database.

    Workers have looked at it for hours, and the machine “first” has seen that.
    """

    def watch(name: str) -> int:
        settings.VAR_DIR = tmp_path / name
        monkeypatch.setattr(restore_guard, "_last_sighting", None)
        return restore_guard.watch()

    Continuity.objects.create(count=9)
    for _ in range(5):
        assert watch("first") == 0

    return watch


def is_paused(mailing: Mailing) -> bool:
    mailing.refresh_from_db()
    return (mailing.state, mailing.hold) == (State.PAUSED, Mailing.Hold.RESTORED)


def age_signs_of_life(*, minutes: int) -> None:
    WorkerRecord.objects.update(alive_at=timezone.now() - timedelta(minutes=minutes))


SEEN = Sighting("a", 500)


@pytest.mark.parametrize(
    ("seen", "now", "others_alive", "restored"),
    [
        pytest.param(None, Sighting("a", 1), False, False, id="first start"),
        pytest.param(None, Sighting("a", 3), False, False, id="several first starts"),
        pytest.param(Sighting("b", 9), Sighting("a", 1), False, False, id="another new database"),
        pytest.param(None, Sighting("a", 501), False, True, id="empty machine"),
        pytest.param(None, Sighting("a", 501), True, False, id="new machine beside others"),
        pytest.param(Sighting("b", 9), Sighting("a", 501), False, True, id="another database"),
        pytest.param(SEEN, Sighting("a", 501), False, False, id="next look"),
        pytest.param(SEEN, Sighting("a", 508), False, False, id="one that was killed had counted"),
        pytest.param(SEEN, Sighting("a", 500), True, True, id="older by one look"),
        pytest.param(SEEN, Sighting("a", 300), True, True, id="older backup"),
        pytest.param(SEEN, Sighting("a", 900), True, False, id="others went on"),
        pytest.param(SEEN, Sighting("a", 900), False, True, id="others went on and are gone"),
    ],
)
def test_what_counts_as_restored(
    seen: Sighting | None,
    now: Sighting,
    others_alive: bool,  # noqa: FBT001
    restored: bool,  # noqa: FBT001
) -> None:
    assert is_restored(seen, now, others_alive=others_alive) is restored


def test_an_older_backup_pauses_open_mailings_once(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    assert [restore_guard.watch() for _ in range(5)] == [0] * 5
    Continuity.objects.update(count=1)
    assert restore_guard.watch() == 1
    assert is_paused(prepared_mailing)
    send_all_due()
    assert relay.delivered == []
    assert restore_guard.watch() == 0, "it is only noticed once"
    assert control.resume(prepared_mailing)
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.hold == ""
    send_all_due()
    assert len(relay.delivered) == 10


def test_a_restore_onto_an_empty_machine_pauses_open_mailings(
    prepared_mailing: Mailing, machine: Callable[[str], int]
) -> None:
    """In a trial, 97 of 100 waiting readers were emailed twice."""
    assert machine("first") == 0
    assert machine("empty") == 1
    assert is_paused(prepared_mailing)
    control.resume(prepared_mailing)
    assert machine("empty") == 0


def test_the_first_workers_of_a_new_site_pause_nothing(
    prepared_mailing: Mailing, machine: Callable[[str], int]
) -> None:
    Continuity.objects.all().delete()
    assert machine("second") == machine("third") == 0
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == State.SENDING


def test_a_machine_that_joins_while_another_is_alive_pauses_nothing(
    prepared_mailing: Mailing, machine: Callable[[str], int]
) -> None:
    recovery.record_sign_of_life(WorkerRecord().pk)
    assert machine("second") == 0
    age_signs_of_life(minutes=2)
    assert machine("second") == 0, "it has a record now"
    assert machine("third") == 1, "nobody is left who would have noticed"


def test_each_restore_is_noticed_once_although_every_machine_remembers(
    prepared_mailing: Mailing, machine: Callable[[str], int]
) -> None:
    recovery.record_sign_of_life(WorkerRecord().pk)
    for name in ("first", "second", "first", "second"):
        assert machine(name) == 0
    Continuity.objects.update(count=F("count") - 3)
    assert machine("first") == 1
    control.resume(prepared_mailing)
    assert machine("second") == machine("first") == machine("second") == 0
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == State.SENDING


def test_a_mailing_that_the_backup_does_not_have_is_held(
    weekly: Newsletter, issue: Issue, write_article: Callable[..., Article]
) -> None:
    """It may have been sent between backup and loss."""
    due = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)
    write_article(issue=issue, en="Army", published_at=due - timedelta(hours=1))
    approve_all()
    Newsletter.objects.update(schedule_active=True, schedule_since=due - timedelta(days=3))
    restore_guard.watch()
    Continuity.objects.update(restored_at=due + timedelta(hours=1))
    assert dispatch.dispatch(due + timedelta(hours=2)) == []
    held = Mailing.objects.get()
    assert (held.state, held.hold) == (State.HELD, Mailing.Hold.RESTORED)
    Mailing.objects.all().delete()
    Continuity.objects.update(restored_at=due - timedelta(minutes=1))
    assert len(dispatch.dispatch(due + timedelta(hours=2))) == 1


def test_a_request_for_the_latest_issue_is_dropped_and_other_emails_are_kept(
    readers: list[Subscription], machine: Callable[[str], int]
) -> None:
    """The issue may have been sent since; a second confirmation does no harm."""
    kinds = [TransactionalEmail.Kind.ISSUE, TransactionalEmail.Kind.CONFIRMATION]
    for kind in kinds:
        TransactionalEmail.objects.create(
            kind=kind, subscriber=readers[0].subscriber, due_at=timezone.now()
        )
    machine("empty")
    states = TransactionalEmail.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["dropped", "queued"]


def test_overlapping_looks_are_not_mistaken_for_a_restored_backup(
    prepared_mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = restore_guard._count

    def count_and_sleep() -> Sighting:
        monkeypatch.setattr(restore_guard, "_count", count)
        seen = count()
        assert [restore_guard.watch() for _ in range(5)] == [0] * 5
        return seen

    monkeypatch.setattr(restore_guard, "_count", count_and_sleep)
    assert restore_guard.watch() == 0
    assert restore_guard.watch() == 0
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == State.SENDING


def test_without_a_writable_folder_it_reports_an_error_and_sending_continues(
    prepared_mailing: Mailing, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.VAR_DIR = tmp_path / "file"
    (tmp_path / "file").write_text("not a directory")
    assert [restore_guard.watch() for _ in range(30)] == [0] * 30
    assert "action=cannot-watch-for-restored-backups" in caplog.text
    Continuity.objects.update(count=1)
    assert restore_guard.watch() == 1, "this process remembers"


def test_a_damaged_file_counts_as_missing(
    prepared_mailing: Mailing, settings: Any, machine: Callable[[str], int]
) -> None:
    (Path(settings.VAR_DIR) / "run" / "database-seen.json").write_text('{"database": ')
    assert machine("first") == 1

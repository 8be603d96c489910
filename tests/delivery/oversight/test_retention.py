"""Old mailings are reduced to counts, and a restored backup stops open mailings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from newsletter.delivery.models import (
    Batch,
    Edition,
    KillSwitch,
    Mailing,
    Outcome,
    ReleaseRecipient,
)
from newsletter.delivery.oversight import control, restore_guard, retention
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.planning import start
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from tests.delivery.conftest import send_all_due

LATER = timedelta(days=91)


def test_after_the_retention_period_only_counts_and_editions_are_left(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r1@readers.example", Result.REFUSED, code=550)
    send_all_due()
    before = report(prepared_mailing)
    assert retention.collapse(timezone.now() + timedelta(days=89)) == 0
    assert retention.collapse(timezone.now() + LATER) == 1
    assert retention.collapse(timezone.now() + LATER) == 0
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.CLOSED
    assert report(prepared_mailing) == before
    edition = Edition.objects.get()
    assert prepared_mailing.counts["editions"] == {edition.public_id: {"sent": 9, "refused": 1}}
    assert not any(model.objects.exists() for model in (Outcome, ReleaseRecipient, Batch))
    assert audit(prepared_mailing.pk)[0].faults == []


def test_a_mailing_with_unknown_outcomes_stays_open(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r1@readers.example", Result.UNKNOWN)
    send_all_due()
    assert retention.collapse(timezone.now() + LATER) == 0
    control.mark_unknown_as_failed(prepared_mailing)
    assert retention.collapse(timezone.now() + LATER) == 1


def test_a_closed_mailing_cannot_be_sent_again(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r1@readers.example", Result.REFUSED, code=550)
    send_all_due()
    retention.collapse(timezone.now() + LATER)
    with pytest.raises(start.CannotSendError, match="closed"):
        start.send_again(prepared_mailing.release, Mailing.Audience.UNREACHED, by=None)
    assert not control.cancel(prepared_mailing)
    assert not control.resume(prepared_mailing)
    assert len(relay.delivered) == 9


def test_without_a_writable_folder_it_reports_an_error_and_sending_continues(
    prepared_mailing: Mailing, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.VAR_DIR = tmp_path / "file"
    (tmp_path / "file").write_text("not a directory")
    assert restore_guard.watch() == 0
    assert "action=cannot-watch-for-restored-backups" in caplog.text


def test_overlapping_ticks_are_not_mistaken_for_a_restored_backup(
    prepared_mailing: Mailing, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    count = restore_guard._count

    def count_and_sleep() -> int:
        monkeypatch.setattr(restore_guard, "_count", count)
        ticks = count()
        assert [restore_guard.watch() for _ in range(5)] == [0] * 5
        return ticks

    monkeypatch.setattr(restore_guard, "_count", count_and_sleep)
    assert restore_guard.watch() == 0
    assert restore_guard.watch() == 0
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.SENDING


def test_after_a_restored_backup_open_mailings_wait_for_the_operator(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    for _ in range(5):
        assert restore_guard.watch() == 0
    KillSwitch.objects.update(ticks=1)
    assert restore_guard.watch() == 1
    prepared_mailing.refresh_from_db()
    assert (prepared_mailing.state, prepared_mailing.hold) == (
        Mailing.State.PAUSED,
        Mailing.Hold.RESTORED,
    )
    send_all_due()
    assert relay.delivered == []
    assert restore_guard.watch() == 0, "it is only noticed once"
    assert control.resume(prepared_mailing)
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.hold == ""
    send_all_due()
    assert len(relay.delivered) == 10

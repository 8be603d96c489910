"""A worker looks for what was lost, with or without beat."""

from __future__ import annotations

import sys
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now
from django.utils import timezone

from newsletter.delivery.models import Batch, Mailing, Outcome, TaskRun, WorkerRecord
from newsletter.delivery.oversight import task_runs
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending import protocol, rescue
from newsletter.delivery.worker import recovery
from newsletter.lib import processes, queue
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from tests.delivery.conftest import send_all_due

GONE = f"{processes.own_id().rpartition(':')[0]}:1"
"""A process on this host that had our process ID before us."""
ELSEWHERE = "0123456789abcdef:1:1"
ME = uuid.UUID(int=1)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are known by /proc")


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that are queued instead of going to a broker. None is waiting."""
    tasks: list[str] = []

    def wake(task: str, *ids: int) -> bool:
        tasks.append(task)
        return True

    monkeypatch.setattr(queue, "wake", wake)
    monkeypatch.setattr(queue, "waiting", lambda name: 0)
    return tasks


@pytest.fixture
def claimed(prepared_mailing: Mailing) -> Batch:
    """A batch that this process claimed; four of its ten readers are permitted, one was sent."""
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    assert protocol.permit(claim, upto=2, results=b"", replies={})
    assert protocol.permit(claim, upto=4, results=bytes([Result.SENT]), replies={})
    return Batch.objects.get(pk=claim.batch_id)


def test_a_claim_records_who_holds_it(claimed: Batch) -> None:
    assert claimed.claimed_by == processes.own_id() != ""


@pytest.mark.usefixtures("woken")
def test_the_batch_of_a_process_that_is_gone_goes_on_at_once(
    claimed: Batch, relay: MemoryTransport
) -> None:
    """Permitted readers without a result are unknown; all others get the issue once."""
    Batch.objects.update(claimed_by=GONE)
    assert recovery.recover(ME)["rescued"] == 1
    send_all_due()
    assert len(relay.delivered) == 6
    assert Outcome.objects.filter(result=Result.UNKNOWN).count() == 3
    claimed.mailing.refresh_from_db()
    assert claimed.mailing.state == Mailing.State.FINISHED
    assert audit(claimed.mailing_id)[0].faults == []


@pytest.mark.usefixtures("woken")
@pytest.mark.parametrize("holder", ["", ELSEWHERE, "own"])
def test_the_lease_of_a_process_that_may_be_alive_runs_on(claimed: Batch, holder: str) -> None:
    Batch.objects.update(claimed_by=processes.own_id() if holder == "own" else holder)
    assert recovery.recover(ME)["rescued"] == 0
    Batch.objects.update(lease_until=Now())
    assert recovery.recover(ME)["rescued"] == 1


def test_a_batch_that_was_claimed_again_keeps_its_lease(
    claimed: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence decides, however late we look."""
    Batch.objects.update(claimed_by=GONE)

    def is_gone(process_id: str) -> bool:
        Batch.objects.update(fence=claimed.fence + 2, claimed_by=processes.own_id())
        return True

    monkeypatch.setattr(processes, "is_gone", is_gone)
    assert rescue.end_lost_leases() == 0
    assert rescue.rescue_batches() == 0


@pytest.mark.usefixtures("prepared_mailing")
def test_without_beat_a_worker_ticks_and_drains(woken: list[str]) -> None:
    recovery.recover(ME)
    assert woken == ["delivery.send", "delivery.tick", "delivery.drain"]
    woken.clear()
    for name in (task_runs.TICK, task_runs.DRAIN):
        assert task_runs.begin(name, at_most_every=1)
    recovery.recover(ME)
    assert woken == ["delivery.send"], "a batch is still due"
    TaskRun.objects.update(started_at=timezone.now() - timedelta(seconds=30))
    recovery.recover(ME)
    assert woken[1:] == ["delivery.send", "delivery.drain"]


@pytest.mark.django_db
@pytest.mark.parametrize("waiting", [None, 6])
def test_it_adds_nothing_to_a_queue_that_is_long_or_unreachable(
    woken: list[str], monkeypatch: pytest.MonkeyPatch, waiting: int | None
) -> None:
    monkeypatch.setattr(queue, "waiting", lambda name: waiting)
    recovery.recover(ME)
    assert woken == []


@pytest.mark.usefixtures("woken")
@pytest.mark.django_db
def test_signs_of_life_are_updated_and_old_ones_deleted() -> None:
    recovery.recover(ME)
    first = WorkerRecord.objects.get()
    recovery.recover(ME)
    again = WorkerRecord.objects.get()
    assert again.started_at == first.started_at
    assert again.alive_at > first.alive_at
    WorkerRecord.objects.update(alive_at=timezone.now() - timedelta(days=2))
    recovery.recover(uuid.UUID(int=2))
    assert [record.pk.int for record in WorkerRecord.objects.all()] == [2]


@pytest.mark.django_db
def test_a_step_that_fails_does_not_stop_the_others(
    woken: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> int:
        raise KeyError("a bug")

    monkeypatch.setattr(rescue, "rescue_batches", fail)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    recovery._try_recovering(ME)
    assert "action=recovery-failed" in caplog.text
    assert woken == ["delivery.tick", "delivery.drain"]

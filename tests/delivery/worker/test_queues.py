"""Two queues, whose messages never expire (E8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery.worker.request import Request
from django.utils import timezone

from newsletter.celery import app
from newsletter.delivery import tasks
from newsletter.delivery.models import Batch, Mailing, TaskRun
from newsletter.delivery.sending import wake_ups
from newsletter.editorial.models import Article, Issue
from newsletter.lib import queue
from newsletter.transport.memory import MemoryTransport
from tests.delivery.conftest import AddReader, prepare_mailing

OURS = ("delivery.tick", "delivery.drain", "delivery.prepare", "delivery.send")


@pytest.fixture
def empty_queues() -> Iterator[None]:
    purge()
    yield
    purge()


def purge() -> None:
    with app.connection_for_write() as connection:
        for name in (queue.CONTROL, queue.BULK):
            channel: Any = connection.default_channel
            channel.queue_declare(name)
            channel.queue_purge(name)


def messages(name: str) -> list[Any]:
    """Take all messages off a queue."""
    found = []
    with app.connection_for_read() as connection, connection.SimpleQueue(name) as waiting:
        while waiting.qsize():
            message = waiting.get(block=False)
            message.ack()
            found.append(message)
    return found


@pytest.mark.usefixtures("empty_queues")
def test_only_batches_are_on_the_bulk_queue() -> None:
    for task in OURS:
        assert queue.wake(task, *([1] if task in ("delivery.send", "delivery.prepare") else []))
    app.send_task("delivery.drain")
    assert (queue.waiting(queue.CONTROL), queue.waiting(queue.BULK)) == (4, 1)
    (batch,) = messages(queue.BULK)
    assert batch.headers["task"] == "delivery.send"


@pytest.mark.usefixtures("empty_queues")
def test_e8_a_worker_whose_clock_is_ahead_discards_nothing() -> None:
    """Two minutes were enough for every task to count as expired."""
    for entry in app.conf.beat_schedule.values():
        app.send_task(entry["task"], **entry.get("options", {}))
    queue.wake("delivery.prepare", 1)
    queue.wake("delivery.send", 1)
    published = [*messages(queue.CONTROL), *messages(queue.BULK)]
    assert sorted(message.headers["task"] for message in published) == sorted(OURS)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        for message in published:
            request: Any = Request(message, app=app, hostname="ahead")
            assert (request.expires, request.eta) == (None, None)
            assert not request.revoked(), message.headers["task"]


def test_e8_a_worker_whose_clock_is_ahead_sends_nothing_early(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
) -> None:
    now = timezone.now()
    add_reader("ala@readers.example", "en")
    write_article(issue=issue, en="Army")
    mailing = prepare_mailing(issue)
    Batch.objects.update(due_at=now + timedelta(minutes=1))
    with time_machine.travel(now + timedelta(minutes=2)):
        assert tasks.run_tick()["woken"] == 0
        assert tasks.send(Batch.objects.get().pk) == 0
        Batch.objects.update(due_at=now)
        assert tasks.send(Batch.objects.get().pk) == 1
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED
    assert len(relay.delivered) == 1


@pytest.mark.usefixtures("empty_queues")
def test_wake_ups_do_not_pile_up_while_all_workers_are_busy(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.SEND_BATCH_SIZE = 1
    monkeypatch.setattr(wake_ups, "WAKE_UPS", 3)
    write_article(issue=issue, en="Army")
    for number in range(5):
        add_reader(f"r{number}@readers.example", "en")
    prepare_mailing(issue)
    purge()
    assert [wake_ups.wake_due() for _ in range(3)] == [3, 0, 0]
    assert queue.waiting(queue.BULK) == 3
    messages(queue.BULK)
    queue.wake("delivery.send", 1)
    assert wake_ups.wake_due() == 2


@pytest.mark.usefixtures("relay", "weekly")
def test_e8_ticks_that_piled_up_run_once(django_assert_max_num_queries: Any) -> None:
    assert tasks.tick() != {}
    with django_assert_max_num_queries(300):
        assert [tasks.tick() for _ in range(50)] == [{}] * 50
    assert tasks.drain() != {}
    assert tasks.drain() == {}
    assert set(TaskRun.objects.values_list("name", flat=True)) == {"tick", "drain"}


@pytest.mark.usefixtures("relay", "weekly")
def test_a_tick_runs_again_although_the_clock_of_the_database_was_set_back() -> None:
    tasks.tick()
    TaskRun.objects.update(started_at=timezone.now() + timedelta(hours=1))
    assert tasks.tick() != {}


def test_a_worker_whose_minute_is_over_wakes_another_for_what_is_left(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Earlier wake-ups may be used up by then, and waiting for the tick would leave a gap."""
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "wake", lambda task, batch: woken.append((task, batch)))
    monkeypatch.setattr(tasks, "KEEP_SENDING_SECONDS", 0)
    settings.SEND_BATCH_SIZE = 1
    write_article(issue=issue, en="Army")
    for name in ("ala", "bob"):
        add_reader(f"{name}@readers.example", "en")
    prepare_mailing(issue)
    first, second = Batch.objects.order_by("pk").values_list("pk", flat=True)
    assert tasks.send(first) == 1
    assert woken == [("delivery.send", second)]
    assert tasks.send(second) == 1
    assert len(woken) == 1

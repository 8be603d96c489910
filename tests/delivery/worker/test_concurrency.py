"""A worker keeps one process free of sending issues."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from newsletter.delivery import tasks
from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.worker import concurrency
from newsletter.editorial.models import Article, Issue
from newsletter.transport.memory import MemoryTransport
from tests.delivery.conftest import AddReader, prepare_mailing


@pytest.fixture
def two_slots(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(concurrency, "_lock_file", None)
    monkeypatch.setattr(concurrency, "_slots", 0)
    concurrency.limit(2)
    yield
    assert concurrency._lock_file is not None
    concurrency._lock_file.close()


@contextmanager
def child_in_a_slot() -> Iterator[tuple[int, bool]]:
    """A process that keeps its slot until it is killed: its ID, and whether it got a slot."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        with concurrency.sending_slot() as free:
            os.write(write, b"y" if free else b"n")
            signal.pause()
        os._exit(0)
    os.close(write)
    try:
        yield child, os.read(read, 1) == b"y"
    finally:
        os.close(read)
        kill(child)


def kill(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # already killed


@pytest.mark.usefixtures("two_slots")
@pytest.mark.slow
def test_all_slots_can_be_taken_and_a_killed_process_frees_its_slot() -> None:
    with child_in_a_slot() as (first, first_has_slot), child_in_a_slot() as (_, second_has_slot):
        assert (first_has_slot, second_has_slot) == (True, True)
        with concurrency.sending_slot() as free:
            assert not free
        kill(first)
        with concurrency.sending_slot() as free:
            assert free
            with child_in_a_slot() as (_, third_has_slot):
                assert not third_has_slot
        with child_in_a_slot() as (_, fourth_has_slot):
            assert fourth_has_slot, "the slot was freed"


@pytest.mark.usefixtures("two_slots")
@pytest.mark.slow
def test_without_a_free_slot_nothing_is_sent(
    prepared_mailing: Mailing, relay: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch.objects.first()
    assert batch is not None
    with child_in_a_slot(), child_in_a_slot():
        assert tasks.send(batch.pk) == 0
    assert relay.delivered == []
    assert tasks.send(batch.pk) > 0
    assert relay.delivered


def test_without_a_limit_there_is_always_a_free_slot() -> None:
    with concurrency.sending_slot() as first, concurrency.sending_slot() as second:
        assert first
        assert second


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

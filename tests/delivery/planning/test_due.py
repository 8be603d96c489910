"""Readers with a preferred hour: their batches wait, and the desk shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report, waiting_for_hour
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.planning.snapshot import due_at
from newsletter.delivery.sending import protocol, rescue, wake_ups
from newsletter.delivery.sending.batches import unpack
from newsletter.editorial.models import Article, Issue, User
from newsletter.lib import queue
from newsletter.transport.memory import MemoryTransport
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due

Write = Callable[..., Article]
MINSK = ZoneInfo("Europe/Minsk")


@pytest.fixture
def hours() -> tuple[int, int]:
    """Return two hours in Minsk that are not now: the one after next, and the previous one.

    The database's clock can't be stopped, so the hours are relative to it.
    """
    now = timezone.now().astimezone(MINSK)
    return (now.hour + 2) % 24, (now.hour - 1) % 24


@pytest.fixture
def mailing(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Write,
    hours: tuple[int, int],
) -> Mailing:
    """The snapshot for two readers without an hour, two in two hours, and one a day later."""
    write_article(issue=issue, en="Army")
    soon, last = hours
    add_reader("a@readers.example", "en")
    add_reader("b@readers.example", "en", preferred_hour=soon)
    add_reader("c@readers.example", "en", preferred_hour=last)
    add_reader("d@readers.example", "en")
    add_reader("e@readers.example", "en", preferred_hour=soon)
    return prepare_mailing(issue)


def addresses(relay: MemoryTransport) -> list[str]:
    return sorted(message.address[0] for message in relay.delivered)


def make_due(hour: int) -> None:
    """Make the batches due that wait for this hour."""
    for batch in Batch.objects.filter(state=Batch.State.OPEN):
        if batch.due_at.astimezone(MINSK).hour == hour:
            # Now(): SQLite's clock counts milliseconds, Python's counts microseconds.
            Batch.objects.filter(pk=batch.pk).update(due_at=Now())


def test_a_batch_has_one_edition_and_one_hour(mailing: Mailing, hours: tuple[int, int]) -> None:
    assert mailing.snapshot_at is not None
    assert mailing.editions.count() == 1
    batches = Batch.objects.order_by("due_at")
    assert [len(unpack(batch.reader_ids)) for batch in batches] == [2, 2, 1]
    expected = [
        due_at(hour, zone="Europe/Minsk", since=mailing.snapshot_at) for hour in (None, *hours)
    ]
    assert [batch.due_at for batch in batches] == expected
    assert [(due.minute, due.second) for due in expected[1:]] == [(0, 0), (0, 0)]
    # The day for retries starts at the preferred hour, not at the snapshot.
    assert all(batch.give_up_at == batch.due_at + timedelta(hours=24) for batch in batches)


def test_each_reader_gets_it_once_at_the_preferred_hour(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    send_all_due()
    assert addresses(relay) == ["a", "d"]
    assert wake_ups.wake_due() == 0
    assert rescue.rescue_batches() == rescue.finish_mailings() == 0
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.SENDING
    assert audit(mailing.pk)[0].faults == []
    make_due(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]
    make_due(hours[1])
    send_all_due()
    assert addresses(relay) == ["a", "b", "c", "d", "e"]
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED
    assert audit(mailing.pk)[0].faults == []


def test_workers_are_only_woken_for_due_batches(
    relay: MemoryTransport, mailing: Mailing, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []

    def wake(task: str, *ids: int) -> bool:
        assert task == "delivery.send"
        woken.extend(ids)
        return True

    monkeypatch.setattr(queue, "wake", wake)
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.CANCELLED)
    control.settle_cancelled()
    snapshot.prepare(start.send_again(mailing.release, Mailing.Audience.UNREACHED, by=None).pk)
    assert len(woken) == 1


def test_waiting_for_an_hour_is_not_the_same_as_being_deferred(
    mailing: Mailing, hours: tuple[int, int]
) -> None:
    waiting = waiting_for_hour(mailing)
    assert waiting is not None
    assert mailing.snapshot_at is not None
    assert waiting.readers == 3
    assert waiting.last_at == due_at(hours[1], zone="Europe/Minsk", since=mailing.snapshot_at)
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    protocol.finish(claim, results=b"\0\0", replies={}, due_in=timedelta(hours=3))
    again = waiting_for_hour(mailing)
    assert again is not None
    assert again.readers == 3
    assert report(mailing).waiting == 5


def test_pausing_and_cancelling_also_affect_waiting_readers(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    send_all_due()
    assert control.pause(mailing)
    make_due(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "d"]
    assert control.resume(mailing)
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]
    assert control.cancel(mailing)
    make_due(hours[1])
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]
    counts = report(mailing)
    assert (counts.sent, counts.skipped, counts.waiting) == (4, 1, 0)
    assert audit(mailing.pk)[0].faults == []


def test_a_reader_who_unsubscribes_or_pauses_while_waiting_gets_nothing(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    leaving, pausing = Subscription.objects.filter(preferred_hour=hours[0]).order_by("pk")
    lifecycle.unsubscribe(leaving.pk)
    lifecycle.change(pausing.pk, page_language="en", paused_until="2099-01-01")
    make_due(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "d"]
    assert report(mailing).skipped == 2


def test_a_changed_hour_applies_from_the_next_mailing(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    """After the snapshot no reader moves to another batch, so nobody is in two."""
    Subscription.objects.update(preferred_hour=hours[1])
    make_due(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]


def test_the_desk_shows_how_many_readers_wait_and_until_when(
    mailing: Mailing, client: Client, editor: User
) -> None:
    send_all_due()
    client.force_login(editor)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    waiting = waiting_for_hour(mailing)
    assert waiting is not None
    text = " ".join(page.content.decode().split())
    at = waiting.last_at.astimezone(MINSK)
    assert (
        f"3 readers chose a later delivery time; the last one is due on {at.day} {at:%B, %H:%M}"
        " (Europe/Minsk). Nothing else is due." in text
    )
    assert (
        "3 readers waiting for their delivery time"
        in client.get(reverse("admin:index")).content.decode()
    )
    control.cancel(mailing)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    assert "later delivery time" not in page.content.decode()


def test_the_command_does_not_wait_for_later_hours(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Write,
    hours: tuple[int, int],
) -> None:
    write_article(issue=issue, en="Army")
    add_reader("a@readers.example", "en")
    add_reader("b@readers.example", "en", preferred_hour=hours[0])
    out = StringIO()
    call_command("send_issue", "weekly", "2017-07-24", "--wait", stdout=out)
    assert addresses(relay) == ["a"]
    assert "1 reader prefers a later delivery hour." in out.getvalue()
    assert "The workers will send the last email at " in out.getvalue()
    assert "Every reader is accounted for." in out.getvalue()


@pytest.mark.parametrize("size", [2, 500])
def test_each_hour_has_its_own_batches(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Write,
    settings: Any,
    size: int,
) -> None:
    settings.SEND_BATCH_SIZE = size
    write_article(issue=issue, en="Army")
    for number in range(12):
        add_reader(f"r{number}@readers.example", "en", preferred_hour=number % 3)
    mailing = prepare_mailing(issue)
    sizes = sorted(Batch.objects.values_list("size", flat=True))
    assert sizes == ([2] * 6 if size == 2 else [4, 4, 4])
    assert mailing.readers == 12
    moments = {batch.due_at for batch in Batch.objects.all()}
    assert len(moments) == 3
    assert {due.astimezone(MINSK).hour for due in moments} == {0, 1, 2}

"""Readers who asked for an hour of the day: batches that wait, and what shows it."""

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
from newsletter.delivery.planning import dispatch, snapshot, start
from newsletter.delivery.planning.delivery_hour import due_at
from newsletter.delivery.sending import protocol, rescue
from newsletter.delivery.sending.packing import unpack
from newsletter.editorial.models import Article, Issue, User
from newsletter.transport.memory import MemoryTransport
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due

Write = Callable[..., Article]
MINSK = ZoneInfo("Europe/Minsk")


@pytest.fixture
def hours() -> tuple[int, int]:
    """Two hours that are not now, as the database's clock cannot be stopped: the next but one, and
    the one that has just passed."""
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
    """Two readers with everyone, two in two hours, one at the end of the day; frozen."""
    write_article(issue=issue, en="Army")
    soon, last = hours
    add_reader("a@readers.example", "en")
    add_reader("b@readers.example", "en", preferred_hour=soon)
    add_reader("c@readers.example", "en", preferred_hour=last)
    add_reader("d@readers.example", "en")
    add_reader("e@readers.example", "en", preferred_hour=soon)
    return prepare_mailing(issue)


def addresses(relay: MemoryTransport) -> list[str]:
    return sorted(mail.address[0] for mail in relay.delivered)


def an_hour_comes(hour: int) -> None:
    """As if that hour were now: the batches due then are due."""
    for batch in Batch.objects.filter(state=Batch.State.OPEN):
        if batch.due_at.astimezone(MINSK).hour == hour:
            # By the database's clock, which SQLite reads in milliseconds.
            Batch.objects.filter(pk=batch.pk).update(due_at=Now())


def test_batches_are_of_one_edition_and_one_hour(mailing: Mailing, hours: tuple[int, int]) -> None:
    assert mailing.snapshot_at is not None
    assert mailing.editions.count() == 1
    batches = Batch.objects.order_by("due_at")
    assert [len(unpack(batch.reader_ids)) for batch in batches] == [2, 2, 1]
    wanted = [
        due_at(hour, zone="Europe/Minsk", since=mailing.snapshot_at) for hour in (None, *hours)
    ]
    assert [batch.due_at for batch in batches] == wanted
    assert [(due.minute, due.second) for due in wanted[1:]] == [(0, 0), (0, 0)]
    assert all(
        batch.give_up_at == batch.due_at + timedelta(hours=24) for batch in batches
    )  # a full day from their hour, not from the freeze


def test_each_gets_it_at_their_hour_and_once(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    send_all_due()
    assert addresses(relay) == ["a", "d"]
    assert dispatch.wake_due() == 0
    assert rescue.rescue_batches() == rescue.finish_mailings() == 0
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.SENDING
    assert audit(mailing.pk)[0].faults == []
    an_hour_comes(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]
    an_hour_comes(hours[1])
    send_all_due()
    assert addresses(relay) == ["a", "b", "c", "d", "e"]
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED
    assert audit(mailing.pk)[0].faults == []


def test_only_what_is_due_is_hinted(
    relay: MemoryTransport, mailing: Mailing, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    hinted: list[int] = []
    monkeypatch.setattr(
        snapshot, "hint", lambda name, pk: name != "delivery.send" or not hinted.append(pk)
    )
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.CANCELLED)
    control.settle_cancelled()
    snapshot.prepare(start.send_to_unreached(mailing.release, by=None).pk)
    assert len(hinted) == 1


def test_who_waits_is_told_from_who_is_tried_again(
    mailing: Mailing, hours: tuple[int, int]
) -> None:
    waits = waiting_for_hour(mailing)
    assert waits is not None
    assert mailing.snapshot_at is not None
    assert waits.readers == 3
    assert waits.last_at == due_at(hours[1], zone="Europe/Minsk", since=mailing.snapshot_at)
    claim = protocol.claim(protocol.due_batches(1)[0])
    assert claim is not None
    protocol.finish(claim, results=b"\0\0", replies={}, due_in=timedelta(hours=3))
    again = waiting_for_hour(mailing)
    assert again is not None
    assert again.readers == 3
    assert report(mailing).waiting == 5


def test_pause_and_cancel_meet_who_waits(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    send_all_due()
    assert control.pause(mailing)
    an_hour_comes(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "d"]
    assert control.resume(mailing)
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]
    assert control.cancel(mailing)
    an_hour_comes(hours[1])
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]
    counts = report(mailing)
    assert (counts.sent, counts.skipped, counts.waiting) == (4, 1, 0)
    assert audit(mailing.pk)[0].faults == []


def test_who_leaves_or_pauses_while_waiting_gets_nothing(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    leaving, pausing = Subscription.objects.filter(preferred_hour=hours[0]).order_by("pk")
    lifecycle.unsubscribe(leaving.pk)
    lifecycle.change(pausing.pk, page_language="en", paused_until="2099-01-01")
    an_hour_comes(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "d"]
    assert report(mailing).skipped == 2


def test_a_change_of_the_hour_counts_from_the_next_mail(
    mailing: Mailing, relay: MemoryTransport, hours: tuple[int, int]
) -> None:
    """Frozen is frozen: nobody is moved to another batch, so nobody is in two."""
    Subscription.objects.update(preferred_hour=hours[1])
    an_hour_comes(hours[0])
    send_all_due()
    assert addresses(relay) == ["a", "b", "d", "e"]


def test_the_desk_says_who_waits_and_until_when(
    mailing: Mailing, client: Client, editor: User
) -> None:
    send_all_due()
    client.force_login(editor)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    waits = waiting_for_hour(mailing)
    assert waits is not None
    text = " ".join(page.content.decode().split())
    at = waits.last_at.astimezone(MINSK)
    assert (
        "3 readers asked for another hour of the day and wait for it; the last get it on"
        f" {at.day} {at:%B, %H:%M} (Europe/Minsk). Nothing else is due now." in text
    )
    assert "3 wait for their hour" in client.get(reverse("admin:index")).content.decode()
    control.cancel(mailing)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    assert "another hour" not in page.content.decode()


def test_the_command_does_not_wait_a_day(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Write,
    hours: tuple[int, int],
) -> None:
    write_article(issue=issue, en="Army")
    add_reader("a@readers.example", "en")
    add_reader("b@readers.example", "en", preferred_hour=hours[0])
    said = StringIO()
    call_command("send_issue", "weekly", "2017-07-24", "--wait", stdout=said)
    assert addresses(relay) == ["a"]
    assert "1 of its readers asked for another hour of the day" in said.getvalue()
    assert "Europe/Minsk. The workers send to them then." in said.getvalue()
    assert "The account balances." in said.getvalue()


@pytest.mark.parametrize("size", [2, 500])
def test_each_hour_fills_its_own_batches(
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
        add_reader(f"r{number}@readers.example", "en", hour=number % 3)
    mailing = prepare_mailing(issue)
    sizes = sorted(Batch.objects.values_list("size", flat=True))
    assert sizes == ([2] * 6 if size == 2 else [4, 4, 4])
    assert mailing.readers == 12
    at = {batch.due_at for batch in Batch.objects.all()}
    assert len(at) == 3
    assert {due.astimezone(MINSK).hour for due in at} == {0, 1, 2}

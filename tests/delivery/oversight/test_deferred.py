"""Readers who wait for another try: how many, until when, and why, for editors to see."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.oversight.report import deferred
from newsletter.editorial.models import User
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result, TransportDownError
from tests.delivery.conftest import send_all_due

DOWN = "smtp relay.example:587: greeting 421 4.3.2"


def shown(mailing: Mailing, client: Client, editor: User) -> str:
    client.force_login(editor)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    return " ".join(page.content.decode().split())


def test_a_relay_that_is_down_is_told_with_its_reason(
    frozen: Mailing, relay: MemoryTransport, client: Client, editor: User
) -> None:
    assert deferred(frozen) is None
    assert "next try" not in shown(frozen, client, editor)
    relay.script_calls(*[TransportDownError(DOWN)] * Batch.objects.count())
    send_all_due()
    waits = deferred(frozen)
    assert waits is not None
    frozen.refresh_from_db()
    assert (waits.readers, waits.why) == (frozen.readers, DOWN)
    text = shown(frozen, client, editor)
    assert f"{waits.readers} readers could not be handed over yet; the next try is on" in text
    assert DOWN in text
    Batch.objects.update(due_at=Now())
    send_all_due()
    assert deferred(frozen) is None
    assert "next try" not in shown(frozen, client, editor)


def test_an_editor_need_not_wait_for_the_next_try(
    frozen: Mailing, relay: MemoryTransport, client: Client, editor: User
) -> None:
    url = reverse("admin:delivery_mailing_act", args=[frozen.pk, "retry"])
    assert url not in shown(frozen, client, editor)
    relay.script_calls(*[TransportDownError(DOWN)] * Batch.objects.count())
    send_all_due()
    assert url in shown(frozen, client, editor)
    assert "not kept waiting" in client.get(url).content.decode()
    send_all_due()
    assert relay.delivered == [], "looking changes nothing"
    client.post(url)
    send_all_due()
    assert len(relay.delivered) == 10
    assert "Nothing to do" in client.post(url, follow=True).content.decode()


def test_of_single_readers_the_most_frequent_reply(frozen: Mailing, relay: MemoryTransport) -> None:
    """G1: its codes, and nothing of its text."""
    batch = Batch.objects.order_by("-size").first()
    assert batch is not None
    addresses = [f"r{n}@readers.example" for n in range(10)]
    for n, address in enumerate(addresses):
        code = (451, "4.7.1") if n % 3 else (450, "4.2.2")
        relay.script(address, Result.DEFERRED, code=code[0], status=code[1])
    send_all_due()
    waits = deferred(frozen)
    assert waits is not None
    assert waits.why == "451 4.7.1"


def test_the_command_says_it_once(frozen: Mailing, relay: MemoryTransport, settings: Any) -> None:
    settings.SEND_RETRY_SECONDS = 1
    relay.script_calls(*[TransportDownError(DOWN)] * Batch.objects.count())
    said = StringIO()
    call_command("send_issue", "weekly", "2017-07-24", "--wait", stdout=said)
    lines = [line for line in said.getvalue().splitlines() if DOWN in line]
    assert lines
    assert len(lines) == len(set(lines))
    assert all("wait until" in line for line in lines)
    assert deferred(frozen) is None

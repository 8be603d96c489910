"""Deferred readers: editors see how many there are, until when, and why."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
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


def page_text(mailing: Mailing, client: Client, editor: User) -> str:
    client.force_login(editor)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    return " ".join(page.content.decode().split())


def test_the_desk_says_why_a_relay_is_down(
    prepared_mailing: Mailing, relay: MemoryTransport, client: Client, editor: User
) -> None:
    assert deferred(prepared_mailing) is None
    assert "Next attempt" not in page_text(prepared_mailing, client, editor)
    relay.script_calls(*[TransportDownError(DOWN)] * Batch.objects.count())
    send_all_due()
    waiting = deferred(prepared_mailing)
    assert waiting is not None
    prepared_mailing.refresh_from_db()
    assert (waiting.readers, waiting.why) == (prepared_mailing.readers, DOWN)
    text = page_text(prepared_mailing, client, editor)
    assert f"{waiting.readers} readers deferred. Next attempt:" in text
    assert DOWN in text
    Batch.objects.update(due_at=Now())
    send_all_due()
    assert deferred(prepared_mailing) is None
    assert "Next attempt" not in page_text(prepared_mailing, client, editor)


def test_an_editor_can_retry_at_once(
    prepared_mailing: Mailing, relay: MemoryTransport, client: Client, editor: User
) -> None:
    url = reverse("admin:delivery_mailing_act", args=[prepared_mailing.pk, "retry"])
    assert url not in page_text(prepared_mailing, client, editor)
    relay.script_calls(*[TransportDownError(DOWN)] * Batch.objects.count())
    send_all_due()
    assert url in page_text(prepared_mailing, client, editor)
    assert "Retry deferred readers now" in client.get(url).content.decode()
    send_all_due()
    assert relay.delivered == [], "GET changes nothing"
    client.post(url)
    send_all_due()
    assert len(relay.delivered) == 10
    assert "Nothing to do" in client.post(url, follow=True).content.decode()


def test_the_reason_is_the_most_frequent_reply(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """G1: only its codes, not its text."""
    batch = Batch.objects.order_by("-size").first()
    assert batch is not None
    addresses = [f"r{n}@readers.example" for n in range(10)]
    for n, address in enumerate(addresses):
        code = (451, "4.7.1") if n % 3 else (450, "4.2.2")
        relay.script(address, Result.DEFERRED, code=code[0], status=code[1])
    send_all_due()
    waiting = deferred(prepared_mailing)
    assert waiting is not None
    assert waiting.why == "451 4.7.1"


@pytest.mark.slow
def test_the_command_reports_each_deferral_once(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_RETRY_SECONDS = 1
    relay.script_calls(*[TransportDownError(DOWN)] * Batch.objects.count())
    out = StringIO()
    call_command("send_issue", "weekly", "2017-07-24", "--wait", stdout=out)
    lines = [line for line in out.getvalue().splitlines() if DOWN in line]
    assert lines
    assert len(lines) == len(set(lines))
    assert all("deferred until" in line for line in lines)
    assert deferred(prepared_mailing) is None

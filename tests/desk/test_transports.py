"""The page of the transports: their state, and “Retry now”."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from newsletter.delivery.sending import transports
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Fault, TransportDownError

pytestmark = pytest.mark.django_db
PASSWORD = TransportDownError(
    "memory://relay: credentials refused: 535 5.7.8", code=535, status="5.7.8", fault=Fault.SENDER
)


@pytest.fixture
def relay(settings: Any) -> MemoryTransport:
    settings.DELIVERY_TRANSPORTS = ["memory://relay"]
    transports.reset()
    transport = transports.configured()[0]
    assert isinstance(transport, MemoryTransport)
    return transport


def page(client: Client) -> str:
    return client.get(reverse("admin:transports")).content.decode()


def test_a_transport_that_was_never_used_says_so(
    as_publisher: Client, relay: MemoryTransport
) -> None:
    assert "not used yet" in page(as_publisher)


def test_a_transport_that_is_down_says_why_and_what_to_do(
    as_publisher: Client, relay: MemoryTransport
) -> None:
    transports.mark_down(relay, PASSWORD)

    html = page(as_publisher)

    assert "down since" in html
    assert "doesn’t accept our user name and password" in html
    assert "535 5.7.8" in html


def test_retry_now_ends_the_waiting(as_publisher: Client, relay: MemoryTransport) -> None:
    transports.mark_down(relay, PASSWORD)

    answer = as_publisher.post(
        reverse("admin:transport_retry"), {"transport": relay.name}, follow=True
    )

    assert "Trying memory://relay again." in answer.content.decode()
    assert transports.available() is relay


def test_a_transport_that_works_again_loses_its_warning(
    as_publisher: Client, relay: MemoryTransport
) -> None:
    transports.mark_down(relay, PASSWORD)
    transports.mark_up(relay)

    html = page(as_publisher)

    assert "down since" not in html
    assert "It last accepted an email" in html


def test_translators_see_no_transports(as_translator: Client) -> None:
    assert as_translator.get(reverse("admin:transports")).status_code == 403
    assert as_translator.post(reverse("admin:transport_retry")).status_code == 403


def test_the_command_prints_the_same(relay: MemoryTransport) -> None:
    transports.mark_down(relay, PASSWORD)
    out = io.StringIO()

    call_command("transports", stdout=out)

    assert "1. memory://relay: down" in out.getvalue()
    assert "Reason: memory://relay: credentials refused: 535 5.7.8" in out.getvalue()


def test_the_command_prints_json(relay: MemoryTransport) -> None:
    transports.mark_down(relay, PASSWORD)
    out = io.StringIO()

    call_command("transports", "--json", stdout=out)

    [report] = json.loads(out.getvalue())
    assert (report["condition"], report["fault"], report["code"]) == ("down", "sender", 535)

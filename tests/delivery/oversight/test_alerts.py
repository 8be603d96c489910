"""Failures are told to people, once per channel, and end when the failure does (E9)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.utils import timezone

from newsletter.delivery.models import Alert, AlertRecipient, Mailing, TransportState
from newsletter.delivery.oversight import alerts
from newsletter.delivery.oversight.problems import Problem
from newsletter.editorial import workflow
from newsletter.editorial.models import Issue, User
from newsletter.transport.memory import MemoryTransport

pytestmark = pytest.mark.django_db
QUOTA = {"transport": "smtp://relay", "fault": "sender", "code": 550, "status": "5.4.5"}
DOWN = Problem(Alert.Kind.TRANSPORT, "smtp://relay", facts=QUOTA)


@pytest.fixture
def hanna() -> User:
    """An editor who gets alerts in Russian."""
    user = User.objects.create_user("hanna", "hanna@newsroom.example", is_staff=True)
    AlertRecipient.objects.create(user=user, language="ru")
    return user


def test_a_failure_opens_one_alert_however_often_it_is_seen() -> None:
    assert alerts.reconcile([DOWN]) == (1, 0)
    assert alerts.reconcile([DOWN]) == (0, 0)

    assert Alert.objects.count() == 1


def test_an_alert_is_resolved_when_the_failure_is_gone() -> None:
    alerts.reconcile([DOWN])

    assert alerts.reconcile([]) == (0, 1)
    assert not alerts.open_alerts().exists()


def test_a_failure_that_comes_back_is_told_again() -> None:
    alerts.reconcile([DOWN])
    alerts.reconcile([])

    assert alerts.reconcile([DOWN]) == (1, 0)


def test_staff_are_emailed_once_in_their_language(
    relay: MemoryTransport, weekly: Any, hanna: User
) -> None:
    alerts.reconcile([DOWN])

    assert alerts.email_new() == 1
    assert alerts.email_new() == 0

    [message] = relay.delivered
    assert message.address == "hanna@newsroom.example"
    assert message.parsed["Content-Language"] == "ru"
    assert message.parsed["Auto-Submitted"] == "auto-generated"
    assert "550 5.4.5" in message.parsed.get_content()
    assert "smtp://relay" in str(message.parsed["Subject"])


def test_an_email_that_the_relay_refuses_is_tried_again_at_the_next_tick(
    relay: MemoryTransport, weekly: Any, hanna: User
) -> None:
    alerts.reconcile([DOWN])
    relay.down_after = 0
    assert alerts.email_new() == 0

    relay.down_after = None
    assert alerts.email_new() == 1


def test_people_who_left_get_no_alerts(relay: MemoryTransport, weekly: Any, hanna: User) -> None:
    User.objects.update(is_active=False)
    alerts.reconcile([DOWN])

    assert alerts.email_new() == 0
    assert relay.delivered == []


def test_a_held_mailing_is_named_with_its_page(
    relay: MemoryTransport, hanna: User, prepared_mailing: Mailing
) -> None:
    Mailing.objects.update(state=Mailing.State.PAUSED, hold=Mailing.Hold.RESTORED)
    TransportState.objects.create(name="memory://relay", accepted_at=timezone.now())

    assert alerts.watch() == 1
    assert alerts.tell() == 1

    text = relay.delivered[-1].parsed.get_content()
    assert f"/admin/delivery/mailing/{prepared_mailing.pk}/change/" in text


@pytest.fixture
def webhook(settings: Any) -> Iterator[list[dict[str, Any]]]:
    """What ALERT_URLS' service on loopback got."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(503 if got[-1]["message"] == "fail" else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.ALERT_URLS = [f"json://127.0.0.1:{server.server_port}/"]
    yield got
    server.shutdown()
    server.server_close()


def test_alert_urls_are_notified_once(webhook: list[dict[str, Any]]) -> None:
    alerts.reconcile([DOWN])

    assert alerts.push_new() == 1
    assert alerts.push_new() == 0

    [notification] = webhook
    assert "smtp://relay" in notification["title"]
    assert "550 5.4.5" in notification["message"]


def test_a_service_that_is_away_is_notified_at_a_later_tick(
    webhook: list[dict[str, Any]], settings: Any
) -> None:
    reachable, settings.ALERT_URLS = settings.ALERT_URLS, ["json://127.0.0.1:9/"]
    alerts.reconcile([DOWN])
    assert alerts.push_new() == 0

    settings.ALERT_URLS = reachable
    assert alerts.push_new() == 1


def test_the_person_whose_approval_was_withdrawn_is_emailed_too(
    relay: MemoryTransport, weekly: Any, hanna: User
) -> None:
    """I2: also without alerts by email, and once if they have them."""
    vera = User.objects.create_user("vera", "vera@newsroom.example", is_staff=True)
    taras = User.objects.create_user("taras", is_staff=True)
    for approver, addresses in ((vera, {vera.email, hanna.email}), (hanna, {hanna.email})):
        today = timezone.localdate()
        issue = Issue.objects.create(
            newsletter=weekly,
            kind="special",
            slug=approver.username,
            starts_on=today,
            ends_on=today,
        )
        workflow.approve(issue, by=approver)
        workflow.withdraw_after_change(issue, by=taras)
        alerts.watch()
        relay.delivered.clear()
        assert alerts.email_new() == 1
        assert [message.address for message in relay.delivered] == sorted(addresses)
        subjects = {message.parsed["Subject"] for message in relay.delivered}
        assert any("was withdrawn" in subject or "снято" in subject for subject in subjects)
        workflow.approve(issue, by=approver)
        alerts.watch()
        assert not alerts.open_alerts().exists()

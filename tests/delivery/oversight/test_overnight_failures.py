"""A failure at night is reported within two ticks (E9; issue 11, criterion 9).

By email as soon as any transport takes one, to ALERT_URLS, on the dashboard, and by `audit`'s exit
status.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse

from newsletter.delivery import tasks
from newsletter.delivery.models import AlertRecipient, Mailing, TransportState
from newsletter.delivery.oversight import alerts
from newsletter.editorial.models import Issue, User
from newsletter.transport import memory
from tests.delivery.conftest import reset_transports
from tests.delivery.sending import sixty
from tests.transport.certificate import certificate
from tests.transport.relay import Relay

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def notified(settings: Any) -> Iterator[list[str]]:
    """The titles of what ALERT_URLS' service on loopback got."""
    titles: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            titles.append(json.loads(body)["title"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings.ALERT_URLS = [f"json://127.0.0.1:{server.server_port}/"]
    yield titles
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def relays() -> Iterator[list[Relay]]:
    """Relays to close at the end."""
    started: list[Relay] = []
    yield started
    reset_transports()
    for relay in started:
        relay.close()


@pytest.fixture
def article(issue: Issue, write_article: Callable[..., Any], editor: User) -> Issue:
    """An issue with an article; the editor gets alerts by email."""
    write_article(issue=issue, en="Minsk looks east")
    User.objects.filter(pk=editor.pk).update(email="editor@newsroom.example")
    AlertRecipient.objects.create(user=editor, language="en")
    return issue


def gone(relays: list[Relay], folder: Path) -> str:
    relay = Relay()
    relay.close()
    return f"smtp://127.0.0.1:{relay.port}?timeout=2"


def quota(relays: list[Relay], folder: Path) -> str:
    relays.append(Relay())
    relays[-1].answer("DATA", *["550 5.4.5 Daily user sending limit exceeded"] * 999)
    return f"smtp://127.0.0.1:{relays[-1].port}?timeout=2"


def expired_certificate(relays: list[Relay], folder: Path) -> str:
    context, trusted = certificate(folder, expires=-timedelta(hours=1))
    relays.append(Relay(tls=context))
    return f"smtps://127.0.0.1:{relays[-1].port}?ca={trusted}&timeout=2"


def wrong_password(relays: list[Relay], folder: Path) -> str:
    relays.append(Relay())
    relays[-1].answer("AUTH", *["535 5.7.8 Error: authentication failed"] * 999)
    return f"smtp://desk:wrong@127.0.0.1:{relays[-1].port}?timeout=2"


FAILURES = [
    (gone, "can’t be reached"),
    (quota, "reached its limit"),
    (expired_certificate, "certificate can’t be trusted"),
    (wrong_password, "doesn’t accept our user name"),
]
MakeFailure = Callable[[list[Relay], Path], str]


def tick() -> None:
    """Run a tick and what it starts, with a minute since the last one."""
    TransportState.objects.exclude(down_since=None).update(
        down_since=F("down_since") - timedelta(seconds=60), retry_at=None
    )
    sixty.send_what_is_due()
    tasks.run_tick()
    tasks.tell_staff()


def exit_status() -> int:
    try:
        call_command("audit")
    except SystemExit as end:
        return int(str(end.code))
    return 0


def dashboard(client: Client, editor: User) -> str:
    client.force_login(editor)
    return client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("failure", "words"), FAILURES, ids=lambda each: getattr(each, "__name__", "reported")
)
def test_e9_a_failure_is_reported_within_two_ticks(
    article: Issue,
    settings: Any,
    editor: User,
    client: Client,
    notified: list[str],
    relays: list[Relay],
    tmp_path: Path,
    failure: MakeFailure,
    words: str,
) -> None:
    mailing = sixty.prepare(article, settings, failure(relays, tmp_path))
    assert exit_status() == 0

    tick()
    tick()

    assert notified, "through ALERT_URLS"
    assert words in dashboard(client, editor)
    assert exit_status() == 1
    assert not alerts.open_alerts().exclude(emailed_at=None).exists(), "no relay takes an email"

    # In the morning there is a relay again, and people are told what happened.
    repaired = Relay()
    relays.append(repaired)
    sixty.use(settings, f"smtp://127.0.0.1:{repaired.port}?timeout=2")
    told = len(notified)
    tick()
    emails = [message_from_bytes(each, policy=policy.default) for each in repaired.messages]
    to_staff = [each for each in emails if each["To"] == "editor@newsroom.example"]
    assert to_staff
    assert any(words in each.get_content() for each in to_staff)
    assert len(notified) == told, "each failure is told once"
    sixty.finish(mailing)
    tick()
    assert exit_status() == 0


@pytest.mark.parametrize("failure", [each for each, _words in FAILURES])
def test_e9_staff_are_emailed_through_a_second_transport_meanwhile(
    article: Issue,
    settings: Any,
    notified: list[str],
    relays: list[Relay],
    tmp_path: Path,
    failure: MakeFailure,
) -> None:
    url = failure(relays, tmp_path)
    mailing = sixty.prepare(article, settings, url)
    sixty.use(settings, url, "memory://second")

    tick()
    tick()

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED, "its readers got it through the second"
    addresses = [each.address for each in memory.get_transport("second").delivered]
    assert addresses.count("editor@newsroom.example") == len(notified) == 1


def test_e9_people_hear_of_a_failure_that_is_over_before_an_email_could_be_sent(
    article: Issue, settings: Any, relays: list[Relay], tmp_path: Path
) -> None:
    """The only relay was away for the night, and the mailing went out as soon as it was back."""
    sixty.prepare(article, settings, gone(relays, tmp_path))
    tick()
    tick()
    name = TransportState.objects.get().name
    TransportState.objects.update(down_since=None, retry_at=None)
    settings.DELIVERY_TRANSPORTS = ["memory://back"]
    reset_transports()

    tick()

    to_staff = [
        each
        for each in memory.get_transport("back").delivered
        if each.address == "editor@newsroom.example"
    ]
    assert [name in str(each.parsed["Subject"]) for each in to_staff] == [True]
    assert "since been resolved" in to_staff[0].parsed.get_content()
    assert not alerts.open_alerts().exists()
    tick()
    assert len(to_staff) == 1


def test_e9_a_relay_that_goes_away_in_mid_mailing_is_a_failure_too(
    article: Issue, settings: Any, client: Client, editor: User
) -> None:
    """Twenty got it, forty wait for as long as the relay is away."""
    mailing = sixty.prepare(article, settings, "memory://relay")
    relay = memory.get_transport("relay")
    relay.down_after = 20

    tick()
    relay.down_after = 0
    tick()

    assert sixty.fate(mailing) == sixty.outage(20)
    assert "can’t be reached" in dashboard(client, editor)
    assert exit_status() == 1
    reset_transports()

"""The kill switch: what it stops, what continues, and who can turn it off."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from newsletter.delivery import tasks
from newsletter.delivery.models import KillSwitch, Mailing
from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.planning import dispatch, start
from newsletter.delivery.sending import protocol
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.lib import keys
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Recipient
from subscribers import intake
from subscribers.addresses import normalise
from subscribers.crypto import key_check
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.approving import approve_all
from tests.conftest import WriteArticle
from tests.delivery.conftest import send_all_due

pytestmark = pytest.mark.django_db


def manage(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def engage_at_second_message(to: Recipient) -> None:
    if to.position == 1:
        kill_switch.engage()


def test_nothing_is_handed_over_after_the_current_step(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = engage_at_second_message
    send_all_due()
    assert len(relay.delivered) == 4
    assert (report(prepared_mailing).sent, report(prepared_mailing).waiting) == (4, 6)


def test_after_it_a_mailing_waits_for_a_person_and_reaches_every_reader_once(
    prepared_mailing: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = engage_at_second_message
    send_all_due()
    relay.on_message = None
    assert "1 mailing waits for you" in manage("kill_switch", "off")
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.PAUSED
    assert protocol.due_batches(5) == []
    Mailing.objects.update(state=Mailing.State.SENDING)
    send_all_due()
    assert len({mail.address for mail in relay.delivered}) == len(relay.delivered) == 10
    assert audit(prepared_mailing.pk)[0].faults == []


def test_while_it_is_on_no_mailing_starts(
    issue: Issue, weekly: Newsletter, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Headline")
    approve_all()
    issue.refresh_from_db()
    mailing = start.send_now(issue, by=None)
    kill_switch.engage()
    with pytest.raises(start.CannotSendError, match="The kill switch is on"):
        start.send_now(issue, by=None)
    assert dispatch.dispatch() == []
    assert dispatch.prepare_waiting() == 0
    kill_switch.release()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.hold) == (Mailing.State.HELD, Mailing.Hold.KILL_SWITCH)


def test_a_sign_up_waits_sealed_and_is_not_lost(weekly: Newsletter, relay: MemoryTransport) -> None:
    kill_switch.engage()
    intake.receive_sign_up(
        normalise("ala@readers.example"), newsletter=weekly, languages=("en",), page_language="en"
    )
    assert tasks.run_drain() == {}
    assert (Intake.objects.count(), TransactionalEmail.objects.count()) == (1, 0)
    kill_switch.release()
    counts = {"intake": 1, "transactional": 1, "staff": 0, "webhooks": 0, "trials": 0}
    assert tasks.run_drain() == counts
    assert len(relay.delivered) == 1


def test_a_reader_can_unsubscribe_while_it_is_on(
    prepared_mailing: Mailing, readers: list[Subscription], client: Client
) -> None:
    from subscribers.links import reader_urls

    kill_switch.engage()
    url = reader_urls.one_click_urls()(readers[0].pk).partition("//")[2].partition("/")[2]
    assert client.post(f"/{url}").status_code in {200, 202}
    readers[0].refresh_from_db()
    assert readers[0].state == "unsubscribed"


def test_the_button_at_the_desk_asks_first_and_signs_everyone_out(
    editor: User, newsroom: Any, weekly: Newsletter
) -> None:
    mine, theirs = Client(), Client()
    for client in (mine, theirs):
        client.force_login(editor)
    assert reverse("admin:kill_switch") in mine.get(reverse("admin:index")).content.decode()
    page = mine.get(reverse("admin:kill_switch"))
    assert "Turn on the kill switch now" in page.content.decode()
    assert not kill_switch.is_engaged()
    assert mine.post(reverse("admin:kill_switch"))["Location"] == reverse("admin:login")
    assert kill_switch.is_engaged()
    assert not Session.objects.exists()
    for client in (mine, theirs):
        assert client.get(reverse("admin:index")).status_code == 302
    refused = mine.post(reverse("admin:login"), {"username": "editor", "password": "sign-me-in"})
    assert refused.status_code == 503
    assert "The kill switch is on" in refused.content.decode()
    assert not Session.objects.exists()


def test_a_session_that_outlived_it_shows_nothing(editor: User, weekly: Newsletter) -> None:
    client = Client()
    KillSwitch.objects.create(engaged=True)
    client.force_login(editor)
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.post(reverse("admin:kill_switch")).status_code == 302


def test_turning_it_off_needs_the_workers_keys(db: None, settings: Any) -> None:
    kill_switch.engage()
    assert key_check.check() == []
    right_keys = settings.WORKER_KEYS
    settings.WORKER_KEYS = None
    with pytest.raises(CommandError, match="holds no worker keys"):
        manage("kill_switch", "off")
    settings.WORKER_KEYS = keys.parse_worker_keys(keys.generate_temporary()[1])
    with pytest.raises(CommandError, match="don't fit the database"):
        manage("kill_switch", "off")
    assert kill_switch.is_engaged()
    settings.WORKER_KEYS = right_keys
    assert manage("kill_switch", "off") == "The kill switch is off.\n"
    assert not kill_switch.is_engaged()


def test_the_command_shows_its_state(db: None) -> None:
    assert manage("kill_switch", "status") == "The kill switch is off.\n"
    assert "The kill switch is on." in manage("kill_switch", "on")
    assert "The kill switch has been on since 20" in manage("kill_switch", "status")


def test_turning_it_on_twice_changes_nothing(db: None) -> None:
    assert kill_switch.engage()
    since = KillSwitch.objects.get().engaged_at
    assert not kill_switch.engage()
    assert KillSwitch.objects.get().engaged_at == since


def test_the_web_keys_can_be_removed(db: None, settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "web.json"
    file.write_text("{}")
    settings.WEB_KEYS_PATH = file
    assert "Stop the web server" in manage("kill_switch", "on", "--drop-web-keys")
    assert not file.exists()
    settings.WEB_KEYS_PATH = None
    with pytest.raises(CommandError, match="isn't a file"):
        manage("kill_switch", "on", "--drop-web-keys")
    assert kill_switch.is_engaged()

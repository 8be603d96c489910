"""Freeze and thaw: what stops, what goes on, and who can end it."""

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
from newsletter.delivery.planning import dispatch, snapshot
from newsletter.delivery.sending import protocol
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.lib import keys
from newsletter.transport.memory import MemoryTransport
from subscribers import intake
from subscribers.addresses import normalise
from subscribers.crypto import key_check
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.delivery.conftest import send_all_due

pytestmark = pytest.mark.django_db


def manage(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_nothing_is_handed_over_after_the_step_that_runs(
    frozen: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = lambda to: kill_switch.engage() and None if to.position == 1 else None
    send_all_due()
    assert len(relay.delivered) == 4
    assert (report(frozen).sent, report(frozen).waiting) == (4, 6)


def test_thawed_it_waits_for_a_person_and_reaches_everybody_once(
    frozen: Mailing, relay: MemoryTransport, settings: Any
) -> None:
    settings.SEND_STEP = 4
    relay.on_message = lambda to: kill_switch.engage() and None if to.position == 1 else None
    send_all_due()
    relay.on_message = None
    assert "1 send-outs wait" in manage("thaw")
    frozen.refresh_from_db()
    assert frozen.state == Mailing.State.PAUSED
    assert protocol.due_batches(5) == []
    Mailing.objects.update(state=Mailing.State.SENDING)
    send_all_due()
    assert len({mail.address for mail in relay.delivered}) == len(relay.delivered) == 10
    assert audit(frozen.pk)[0].faults == []


def test_frozen_it_takes_up_nothing_new(issue: Issue, weekly: Newsletter) -> None:
    Issue.objects.update(state=Issue.State.APPROVED)
    issue.refresh_from_db()
    mailing = snapshot.send_now(issue, by=None)
    kill_switch.engage()
    with pytest.raises(snapshot.CannotSendError, match="frozen"):
        snapshot.send_now(issue, by=None)
    assert dispatch.dispatch() == []
    assert dispatch.prepare_waiting() == 0
    kill_switch.release()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.hold) == ("held", "frozen")


def test_who_signs_up_meanwhile_waits_sealed_and_is_not_lost(
    weekly: Newsletter, relay: MemoryTransport
) -> None:
    kill_switch.engage()
    intake.receive_sign_up(
        normalise("ala@readers.example"), newsletter=weekly, languages=("en",), page_language="en"
    )
    assert tasks.drain() == {}
    assert (Intake.objects.count(), TransactionalEmail.objects.count()) == (1, 0)
    kill_switch.release()
    assert tasks.drain() == {"intake": 1, "letters": 1}
    assert len(relay.delivered) == 1


def test_a_reader_can_leave_a_frozen_site(
    frozen: Mailing, readers: list[Subscription], client: Client
) -> None:
    from subscribers.links import reader_urls

    kill_switch.engage()
    url = reader_urls.one_click_url(readers[0].pk).partition("//")[2].partition("/")[2]
    assert client.post(f"/{url}").status_code in {200, 202}
    readers[0].refresh_from_db()
    assert readers[0].state == "unsubscribed"


def test_the_button_asks_then_stops_and_signs_everybody_out(
    editor: User, newsroom: Any, weekly: Newsletter
) -> None:
    mine, theirs = Client(), Client()
    for each in (mine, theirs):
        each.force_login(editor)
    assert reverse("admin:kill_switch") in mine.get(reverse("admin:index")).content.decode()
    page = mine.get(reverse("admin:kill_switch"))
    assert "Turn on the kill switch now" in page.content.decode()
    assert not kill_switch.is_engaged()
    assert mine.post(reverse("admin:kill_switch")).url == reverse("admin:login")  # type: ignore[attr-defined]
    assert kill_switch.is_engaged()
    assert not Session.objects.exists()
    for each in (mine, theirs):
        assert each.get(reverse("admin:index")).status_code == 302
    refused = mine.post(reverse("admin:login"), {"username": "editor", "password": "sign-me-in"})
    assert refused.status_code == 503
    assert "The kill switch is on" in refused.content.decode()
    assert not Session.objects.exists()


def test_a_session_that_survived_shows_nothing(editor: User, weekly: Newsletter) -> None:
    client = Client()
    KillSwitch.objects.create(engaged=True)
    client.force_login(editor)
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.post(reverse("admin:kill_switch")).status_code == 302


def test_thaw_needs_the_keys(db: None, settings: Any) -> None:
    kill_switch.engage()
    assert key_check.check() == []
    right = settings.WORKER_KEYS
    settings.WORKER_KEYS = None
    with pytest.raises(CommandError, match="holds no worker keys"):
        manage("thaw")
    settings.WORKER_KEYS = keys.worker_keys(keys.temporary()[1])
    with pytest.raises(CommandError, match="do not fit the database"):
        manage("thaw")
    assert kill_switch.is_engaged()
    settings.WORKER_KEYS = right
    assert "Thawed" in manage("thaw")
    assert not kill_switch.is_engaged()


def test_frozen_twice_is_frozen_once(db: None) -> None:
    assert kill_switch.engage()
    since = KillSwitch.objects.get().engaged_at
    assert not kill_switch.engage()
    assert KillSwitch.objects.get().engaged_at == since


def test_the_web_keys_can_be_removed(db: None, settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "web.json"
    file.write_text("{}")
    settings.WEB_KEYS_PATH = file
    assert "stop the web server" in manage("freeze", "--drop-web-keys")
    assert not file.exists()
    settings.WEB_KEYS_PATH = None
    with pytest.raises(CommandError, match="is not a file"):
        manage("freeze", "--drop-web-keys")
    assert kill_switch.is_engaged()

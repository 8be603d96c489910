"""List-Unsubscribe offers an email beside the link, and that email unsubscribes (A4, A7)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.tasks import run_drain
from newsletter.editorial.models import Issue
from newsletter.transport.memory import MemoryTransport
from subscribers.models import Intake, Subscription
from tests.approving import approve
from tests.delivery.conftest import AddReader, send_all_due

READER = "ala@readers.example"
DOMAIN = "bounces.example.org"
HEADER = re.compile(
    rb"^List-Unsubscribe: <https?://[^<>\s]+/u/[\w-]+/>, "
    rb"<mailto:(unsub\+[a-z2-7]+@bounces\.example\.org)\?subject=unsubscribe>\r$",
    re.MULTILINE,
)
LINK_ALONE = re.compile(rb"^List-Unsubscribe: <https?://[^<>\s]+/u/[\w-]+/>\r$", re.MULTILINE)


@pytest.fixture(autouse=True)
def inbound(settings: Any) -> Any:
    settings.INBOUND_DOMAIN = DOMAIN
    return settings


@pytest.fixture
def approved(issue: Issue, write_article: Callable[..., Any]) -> Issue:
    write_article(issue=issue, en="Minsk looks east")
    approve(issue)
    issue.refresh_from_db()
    return issue


def test_a7_an_email_to_the_address_in_the_header_unsubscribes(
    approved: Issue, add_reader: AddReader, relay: MemoryTransport
) -> None:
    reader, other = add_reader(READER), add_reader("b@readers.example")
    snapshot.prepare(start.send_now(approved, by=None).pk)
    send_all_due()
    [delivered] = relay.to(READER)
    found = HEADER.search(delivered.message)  # one line, as it is: no encoded word, no fold
    assert found

    raw = b"From: <" + READER.encode() + b">\r\nSubject: unsubscribe\r\n\r\n"
    call_command("receive_mail", f"--recipient={found[1].decode()}", stdin=io.BytesIO(raw))
    assert Intake.objects.get().kind == Intake.Kind.MAIL
    run_drain()

    reader.refresh_from_db()
    other.refresh_from_db()
    assert reader.state == Subscription.State.UNSUBSCRIBED
    assert other.state == Subscription.State.ACTIVE


def test_a4_there_is_still_exactly_one_https_uri(
    approved: Issue, add_reader: AddReader, relay: MemoryTransport
) -> None:
    add_reader(READER)
    snapshot.prepare(start.send_now(approved, by=None).pk)
    send_all_due()

    message = message_from_bytes(relay.to(READER)[0].message, policy=policy.compat32)
    assert re.findall(r"<(\w+):", message["List-Unsubscribe"])[1:] == ["mailto"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_discreet_email_never_offers_it(
    approved: Issue, add_reader: AddReader, relay: MemoryTransport, settings: Any
) -> None:
    """The domain would name the newsroom."""
    settings.DISCREET_URL, settings.DISCREET_NAME = "https://notes.example.net", "Notes"
    settings.DISCREET_SENDER = "post@notes.example.net"
    add_reader(READER, discreet=True)
    snapshot.prepare(start.send_now(approved, by=None).pk)
    send_all_due()

    [delivered] = relay.to(READER)
    assert LINK_ALONE.search(delivered.message)
    assert DOMAIN.encode() not in delivered.message


def test_without_a_domain_there_is_only_the_link(
    approved: Issue, add_reader: AddReader, relay: MemoryTransport, inbound: Any
) -> None:
    inbound.INBOUND_DOMAIN = ""
    add_reader(READER)
    snapshot.prepare(start.send_now(approved, by=None).pk)
    send_all_due()
    assert LINK_ALONE.search(relay.to(READER)[0].message)


def test_an_edition_stored_before_the_domain_was_removed_goes_out_without_it(
    approved: Issue, add_reader: AddReader, relay: MemoryTransport, inbound: Any
) -> None:
    """Nobody would read that email any more; the reader must still get the issue."""
    add_reader(READER)
    snapshot.prepare(start.send_now(approved, by=None).pk)
    inbound.INBOUND_DOMAIN = ""
    send_all_due()
    [delivered] = relay.to(READER)
    assert LINK_ALONE.search(delivered.message)
    assert b"mailto" not in delivered.message


def test_an_edition_stored_under_another_domain_names_the_new_one(
    approved: Issue, add_reader: AddReader, relay: MemoryTransport, inbound: Any
) -> None:
    inbound.INBOUND_DOMAIN = "old.example.org"
    add_reader(READER)
    snapshot.prepare(start.send_now(approved, by=None).pk)
    inbound.INBOUND_DOMAIN = DOMAIN
    send_all_due()
    assert HEADER.search(relay.to(READER)[0].message)

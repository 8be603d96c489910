"""`manage.py audit` reports failures through its exit status (E9)."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from newsletter.delivery.models import Mailing
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Fault, TransportDownError
from tests.delivery.conftest import send_all_due


def run(*arguments: str) -> tuple[int, str]:
    """Return the command's exit status and what it printed."""
    out = io.StringIO()
    try:
        call_command("audit", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_mailing_that_everybody_got_is_fine(prepared_mailing: Mailing) -> None:
    send_all_due()

    status, printed = run()

    assert status == 0
    assert "Sent through memory://relay: 10" in printed


def test_a_relay_that_is_gone_is_a_failure_with_reason_and_next_try(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.down_after = 0
    send_all_due()

    status, printed = run()

    assert status == 1
    assert "Reason: scripted" in printed
    assert "Next try:" in printed


def test_a_mailing_that_is_held_after_a_refusal_is_a_failure(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.down_after = 0
    relay.down = TransportDownError("no", code=535, status="5.7.8", fault=Fault.SENDER)
    send_all_due()

    status, printed = run("--json")

    assert status == 1
    [finding] = json.loads(printed)
    assert finding["reason"] == "memory://relay: 535 5.7.8 (sender)"
    assert finding["failed_as_a_whole"] is True


@pytest.mark.usefixtures("prepared_mailing")
def test_a_reader_who_is_not_accounted_for_is_a_fault() -> None:
    Mailing.objects.update(readers=11)

    assert run()[0] == 2

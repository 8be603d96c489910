"""`manage.py test_transport` shows an operator what a transport says to one email (D7)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from newsletter.delivery.models import TransportState
from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.oversight.transport_report import transport_reports
from newsletter.delivery.sending import transports
from newsletter.editorial.models import Newsletter
from newsletter.transport.outcomes import TransportDownError
from tests.transport.provider import Answer, Postmark
from tests.transport.relay import HANG_UP, Relay

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("weekly")]
OPERATOR = "operator@mine.example"


@pytest.fixture
def relay(settings: Any) -> Iterator[Relay]:
    server = Relay(offers="SIZE 20000\r\n250-AUTH PLAIN")
    settings.DELIVERY_TRANSPORTS = [f"smtp://desk:s3cret@127.0.0.1:{server.port}?timeout=1"]
    transports.reset()
    yield server
    transports.reset()
    server.close()


@pytest.fixture
def postmark(settings: Any) -> Iterator[Postmark]:
    server = Postmark()
    settings.DELIVERY_TRANSPORTS = [
        "memory://first",
        f"anymail+postmark://?server_token=s3cret&api_url={server.url}&timeout=1",
    ]
    yield server
    server.close()


def run(*arguments: str) -> tuple[int, str]:
    """Return the command's exit status and what it printed."""
    out = io.StringIO()
    try:
        call_command("test_transport", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_every_step_is_shown_with_what_the_relay_offers(relay: Relay) -> None:
    status, printed = run("1", OPERATOR)

    assert status == 0
    steps = [line.split(" s  ")[1].split()[0] for line in printed.splitlines() if " s  " in line]
    assert steps == ["connection", "greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "message"]
    assert "SIZE 20000, AUTH PLAIN" in printed
    assert "2.0.0" in printed
    assert "s3cret" not in printed
    [message] = relay.messages
    assert b"From: Week in View <desk@news.example.org>" in message
    assert b"Subject: Test email from the newsletter desk" in message
    assert b"List-" not in message


def test_a_transport_can_be_named_as_the_list_of_transports_names_it(relay: Relay) -> None:
    [report] = transport_reports()
    assert run(report.name, OPERATOR)[0] == 0


def test_a_transport_that_is_down_can_be_tried_and_stays_as_it_is(relay: Relay) -> None:
    [transport] = transports.configured()
    transports.mark_down(transport, TransportDownError("gone"))
    before = TransportState.objects.values().get()

    assert run("1", OPERATOR)[0] == 0
    assert TransportState.objects.values().get() == before


@pytest.mark.parametrize(
    ("verb", "reply", "shown"),
    [
        ("AUTH", "535 5.7.8 no", ["sender", "535 5.7.8", "correct the credentials"]),
        ("MAIL", f"550 5.7.60 {OPERATOR} not owned", ["sender", "550 5.7.60", "verified there"]),
        ("RCPT", "550 5.1.1 no such user", ["reader", "550 5.1.1", "Try another address"]),
        ("RCPT", "550 exceeded the max emails per hour", ["550", "limit"]),
        (".", "552 5.3.4 too big", ["message", "552 5.3.4", "pictures smaller"]),
        ("greeting", "554 5.7.1 blocked" + HANG_UP, ["554 5.7.1"]),
    ],
)
def test_a_refusal_is_explained(
    relay: Relay, verb: str, reply: str, shown: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    relay.answer(verb, reply)

    status, printed = run("1", OPERATOR)

    assert status == 1
    for words in shown:
        assert words in printed
    assert OPERATOR not in printed + caplog.text


def test_a_size_limit_shows_before_anything_is_sent(settings: Any) -> None:
    """D7: SIZE is compared before any byte is sent."""
    server = Relay(offers="SIZE 100")
    settings.DELIVERY_TRANSPORTS = [f"smtp://127.0.0.1:{server.port}?timeout=1"]
    status, printed = run("1", OPERATOR)
    server.close()

    assert status == 1
    assert "the relay accepts 100" in printed
    assert not any(command.startswith("MAIL") for command in server.commands)


def test_a_relay_that_is_gone_is_reported(relay: Relay) -> None:
    relay.close()
    status, printed = run("1", OPERATOR)
    assert status == 1
    assert "failed: connection failed" in printed
    assert "can’t be reached" in printed


def test_a_providers_call_is_shown_with_its_result(postmark: Postmark) -> None:
    status, printed = run("2", OPERATOR)
    assert status == 0
    assert "call" in printed
    assert OPERATOR in postmark.requests[0].body.decode()


def test_a_providers_refusal_is_shown_with_its_class(postmark: Postmark) -> None:
    postmark.scripted.append(
        Answer(422, '{"ErrorCode": 405, "Message": "Not allowed to send: out of credits"}')
    )
    status, printed = run("2", OPERATOR)
    assert status == 1
    assert "“sender”" in printed
    assert "limit" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["9", OPERATOR], "no such transport. Configured: 1 (memory://first), 2 (anymail+"),
        (["1", "operator"], "needs an @"),
        (["1", OPERATOR, "--newsletter", "none"], "no newsletter “none”"),
    ],
)
def test_a_mistake_in_the_arguments_has_its_own_exit_status(
    postmark: Postmark, arguments: list[str], said: str
) -> None:
    status, printed = run(*arguments)
    assert status == 2
    assert said in printed


def test_nothing_is_sent_while_the_kill_switch_is_on(relay: Relay) -> None:
    kill_switch.engage()
    status, printed = run("1", OPERATOR)
    assert status == 2
    assert "kill switch" in printed
    assert relay.commands == []


def test_without_a_newsletter_there_is_no_sender(relay: Relay, weekly: Newsletter) -> None:
    Newsletter.objects.all().delete()
    assert run("1", OPERATOR) == (2, "There is no newsletter yet.")

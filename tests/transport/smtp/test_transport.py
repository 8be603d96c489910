"""Every refusal and every loss, at each step, gives each recipient exactly one result."""

from __future__ import annotations

import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport
from newsletter.transport.decisions import enhanced_status
from newsletter.transport.outcomes import Fault, Recipient, Result, SendResult, TransportDownError
from tests.transport.cast import make_email, reader, readers
from tests.transport.certificate import certificate
from tests.transport.relay import HANG_UP, SILENT, Relay

pytestmark = pytest.mark.server


def send(
    transport: AnyTransport, recipients: list[Recipient]
) -> tuple[list[SendResult], TransportDownError | None]:
    send_results: list[SendResult] = []
    try:
        send_results.extend(_each(transport, recipients, send_results))
    except TransportDownError as down:
        return send_results, down
    return send_results, None


def _each(
    transport: AnyTransport, recipients: list[Recipient], into: list[SendResult]
) -> list[SendResult]:
    for send_result in transport.send(transport.compile(make_email()), recipients):
        into.append(send_result)
    return []


def results(send_results: list[SendResult]) -> list[Result]:
    return [send_result.result for send_result in send_results]


def test_all_recipients_are_handed_over_on_one_connection(relay: Relay, smtp: AnyTransport) -> None:
    send_results, down = send(smtp, readers(3))
    again, _ = send(smtp, [reader(3)])
    assert down is None
    assert results(send_results + again) == [Result.SENT] * 4
    assert [h.position for h in send_results] == [0, 1, 2]
    assert send_results[0].code == 250
    assert send_results[0].status == "2.0.0"
    assert relay.connections == 1
    assert len(relay.messages) == 4
    assert "MAIL FROM:<desk@news.example.org>" in relay.commands
    assert "RCPT TO:<reader0@mail.example>" in relay.commands


@pytest.mark.parametrize(
    ("verb", "answer", "result", "fault"),
    [
        ("RCPT", "550 5.1.1 <reader0@mail.example> unknown", Result.REFUSED, Fault.READER),
        ("RCPT", "550 no such user", Result.REFUSED, Fault.READER),
        ("RCPT", "451 4.7.1 greylisted", Result.DEFERRED, Fault.READER),
        ("RCPT", "452-4.2.2 full\r\n452 4.2.2 reader0@mail.example", Result.DEFERRED, Fault.READER),
        ("MAIL", "451 4.3.0 later", Result.DEFERRED, Fault.RELAY),
        ("DATA", "451 4.3.0 later", Result.DEFERRED, Fault.RELAY),
        ("DATA", "554 5.5.1 no valid recipients", Result.FAILED, Fault.RELAY),
        (".", "554 5.7.1 spam, says reader0@mail.example", Result.FAILED, Fault.MESSAGE),
        (".", "552 5.2.2 mailbox full", Result.DEFERRED, Fault.READER),
        (".", "550 5.1.1 unknown", Result.REFUSED, Fault.READER),
        (".", "452 4.3.1 disk full", Result.DEFERRED, Fault.RELAY),
    ],
)
def test_a_refusal_affects_only_one_recipient(
    relay: Relay, smtp: AnyTransport, verb: str, answer: str, result: Result, fault: Fault
) -> None:
    relay.answer(verb, answer)
    send_results, down = send(smtp, readers(2))
    assert down is None
    code, status = int(answer[:3]), enhanced_status(answer[4:].encode())
    assert send_results[0] == SendResult(0, result, code, status, fault=fault)
    assert send_results[1].result is Result.SENT
    assert relay.connections == 1


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("greeting", "554 5.3.2 go away"),
        ("greeting", "421 4.3.2 too busy"),
        ("greeting", HANG_UP),
        ("EHLO", "502 5.5.1 what"),
        ("EHLO", HANG_UP),
        ("MAIL", "550 5.7.1 this sender may not"),
        ("MAIL", "421 4.7.0 too fast"),
        ("MAIL", "530 5.7.0 sign in first"),
        ("MAIL", HANG_UP),
        ("RCPT", "421 4.7.0 too fast"),
        ("RCPT", "530 5.7.0 sign in first"),
        ("RCPT", HANG_UP),
        ("RCPT", SILENT),
        ("RCPT", "nonsense from reader0@mail.example"),
        ("DATA", HANG_UP),
        ("DATA", "421 4.3.2 shutting down"),
        ("DATA", SILENT),
        (".", "421 4.3.2 shutting down"),
    ],
)
def test_a_failure_before_hand_over_leaves_all_recipients_unsent(
    relay: Relay, smtp: AnyTransport, verb: str, answer: str
) -> None:
    relay.answer(verb, answer)
    send_results, down = send(smtp, readers(2))
    assert send_results == []
    assert down is not None
    again, down = send(smtp, readers(2))
    assert down is None
    assert results(again) == [Result.SENT] * 2


@pytest.mark.parametrize("answer", [HANG_UP, SILENT, "nonsense", "354 go on"])
def test_a_message_without_a_reply_after_the_final_dot_is_unknown(
    relay: Relay, smtp: AnyTransport, answer: str
) -> None:
    relay.answer(".", "250 2.0.0 ok", answer)
    send_results, down = send(smtp, readers(3))
    assert results(send_results) == [Result.SENT, Result.UNKNOWN]
    assert down is not None
    again, down = send(smtp, [reader(2)])
    assert results(again) == [Result.SENT]
    assert down is None


def test_an_idle_connection_that_the_relay_closed_is_replaced(
    relay: Relay, smtp: AnyTransport
) -> None:
    send(smtp, [reader(0)])
    relay.hang_up()
    send_results, down = send(smtp, [reader(1)])
    assert down is None
    assert results(send_results) == [Result.SENT]
    assert relay.connections == 2


def test_a_relay_that_limits_messages_per_connection_gets_another_connection(
    relay: Relay, smtp: AnyTransport
) -> None:
    relay.answer("MAIL", "250 ok", "421 4.7.0 enough for one connection" + HANG_UP)
    send_results, down = send(smtp, readers(2))
    assert down is None
    assert results(send_results) == [Result.SENT] * 2
    assert relay.connections == 2


def test_an_unreachable_relay_is_down() -> None:
    transport = registry.from_url("smtp://127.0.0.1:18299")
    send_results, down = send(transport, [reader(0)])
    assert send_results == []
    assert str(down) == "smtp://127.0.0.1:18299: connection failed"


def test_an_address_that_needs_smtputf8_is_refused_and_never_sent(
    relay: Relay, smtp: AnyTransport
) -> None:
    send_results, _ = send(smtp, [reader(0, "чытач@mail.example"), reader(1, "r@пошта.example")])
    assert send_results[0] == SendResult(0, Result.REFUSED, status="5.6.7")
    assert send_results[1].result is Result.SENT
    assert "RCPT TO:<r@xn--80a1acn3a.example>" in relay.commands


def test_only_the_recipient_without_a_url_fails(relay: Relay, smtp: AnyTransport) -> None:
    bare = Recipient(0, "r@mail.example", "d0", {})
    send_results, down = send(smtp, [bare, reader(1)])
    assert results(send_results) == [Result.FAILED, Result.SENT]
    assert down is None
    assert len(relay.messages) == 1


def test_after_stop_no_more_messages_are_handed_over(relay: Relay, smtp: AnyTransport) -> None:
    send_results: list[SendResult] = []
    sending = smtp.send(smtp.compile(make_email()), readers(9), stop=lambda: bool(send_results))
    for send_result in sending:
        send_results.append(send_result)
    assert results(send_results) == [Result.SENT] * len(relay.messages)
    assert len(send_results) < 9
    assert results(send(smtp, [reader(8)])[0]) == [Result.SENT]


def test_after_a_refusal_the_transaction_is_reset(relay: Relay, smtp: AnyTransport) -> None:
    relay.answer("DATA", "451 4.3.0 later")
    send_results, _ = send(smtp, readers(2))
    assert results(send_results) == [Result.DEFERRED, Result.SENT]
    assert "RSET" in relay.commands
    assert relay.connections == 1


def test_an_abandoned_call_closes_its_connection_and_the_next_opens_another(
    relay: Relay, smtp: AnyTransport
) -> None:
    sending = smtp.send(smtp.compile(make_email()), readers(3))
    assert next(sending).result is Result.SENT
    sending.close()
    assert results(send(smtp, [reader(5)])[0]) == [Result.SENT]


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("greeting", "554 5.3.2 reader0@mail.example is known to us"),
        ("EHLO", "550 5.3.2 reader0@mail.example"),
        ("MAIL", "421 4.3.2 reader0@mail.example"),
        ("MAIL", "553 reader0@mail.example 5.7.1"),
        ("RCPT", "550 5.1.1 <reader0@mail.example>"),
        ("RCPT", "421 4.3.2 <reader0@mail.example>"),
        ("RCPT", "reader0@mail.example"),
        ("DATA", "554 <reader0@mail.example>"),
        (".", "554 <reader0@mail.example>"),
        (".", "reader0@mail.example"),
    ],
)
def test_g1_g2_an_echoed_address_never_appears_in_a_result_or_an_error(
    relay: Relay, smtp: AnyTransport, verb: str, answer: str
) -> None:
    relay.answer(verb, answer)
    send_results, down = send(smtp, [reader(0)])
    seen = repr(send_results) + repr(down) + str(down)
    if down is not None:
        seen += "".join(traceback.format_exception(down))
        assert down.__suppress_context__ or down.__context__ is None
    assert "reader0" not in seen
    assert "mail.example" not in seen


def test_d7_wrong_credentials_are_reported_but_not_shown(relay: Relay) -> None:
    relay.answer("AUTH", "535 5.7.8 s3cret is wrong", "535 5.7.8 s3cret is wrong")
    transport = registry.from_url(f"smtp://desk:s3cret@127.0.0.1:{relay.port}?timeout=1")
    _, down = send(transport, [reader(0)])
    assert down is not None
    assert "credentials refused: 535 5.7.8" in str(down)
    assert (down.fault, down.status) == (Fault.SENDER, "5.7.8")
    assert "s3cret" not in "".join(traceback.format_exception(down)) + repr(transport.name)


def test_credentials_are_used(relay: Relay) -> None:
    transport = registry.from_url(f"smtp://desk:p%40ss@127.0.0.1:{relay.port}")
    send_results, _ = send(transport, [reader(0)])
    transport.close()
    assert results(send_results) == [Result.SENT]
    # PLAIN of "\0desk\0p@ss" (RFC 4616).
    assert "AUTH PLAIN AGRlc2sAcEBzcw==" in relay.commands


def test_an_expired_certificate_is_the_relays_fault_and_named(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, expires=timedelta(days=-1))
    relay = Relay(tls=context)
    transport = registry.from_url(f"smtps://127.0.0.1:{relay.port}?timeout=1&ca={trusted}")
    _, down = send(transport, [reader(0)])
    relay.close()
    assert down is not None
    assert "certificate has expired" in down.reason
    assert down.fault is Fault.RELAY


def test_the_relay_says_when_to_try_again(relay: Relay, smtp: AnyTransport) -> None:
    relay.answer("MAIL", "421 4.3.2 maintenance, try again in 10 minutes")
    _, down = send(smtp, [reader(0)])
    assert down is not None
    assert (down.code, down.status, down.retry_after) == (421, "4.3.2", 600)


def test_a_relay_without_the_required_starttls_is_reported(relay: Relay) -> None:
    transport = registry.from_url(f"smtp://127.0.0.1:{relay.port}?starttls=demand")
    _, down = send(transport, [reader(0)])
    assert "offers no STARTTLS" in str(down)
    assert not [command for command in relay.commands if command.startswith("MAIL")]

"""Each of the replies in the table, from a relay on loopback: results, errors and logs (D7, G1)."""

from __future__ import annotations

import logging
import traceback

import pytest

from newsletter.transport import registry
from newsletter.transport.outcomes import Fault, Result
from tests.transport.cast import make_email, readers
from tests.transport.relay import Relay
from tests.transport.smtp.test_transport import send
from tests.transport.smtp_replies import SMTP_REPLIES, SmtpReply

pytestmark = pytest.mark.server
VERBS = {"greeting": "greeting", "auth": "AUTH", "mail": "MAIL", "rcpt": "RCPT", "data": "DATA"}
ADDRESSES = {"to": "reader0@mail.example", "from": "desk@news.example.org"}


# A refused connection is opened again: the tests of learned connections have it.
ON_A_CONNECTION = [reply for reply in SMTP_REPLIES if reply[1] != "421 too many connections"]


@pytest.mark.parametrize("reply", ON_A_CONNECTION, ids=lambda reply: f"{reply[0]} {reply[1][:40]}")
def test_d7_what_becomes_of_a_reader_whose_message_is_refused(
    reply: SmtpReply, caplog: pytest.LogCaptureFixture
) -> None:
    step, answer, fault, result = reply
    relay = Relay(pipelines=True)
    relay.answer(VERBS.get(step, "."), answer.format(**ADDRESSES))
    user = "desk:s3cret@" if step == "auth" else ""
    transport = registry.from_url(f"smtp://{user}127.0.0.1:{relay.port}?timeout=5&connections=1")
    with caplog.at_level(logging.DEBUG):
        send_results, down = send(transport, readers(3))
    transport.close()
    relay.close()
    if fault is Fault.SPEED and result is Result.DEFERRED:
        # The transport slows down and tries it again in the same call (D9).
        assert down is None
        assert [each.result for each in send_results] == [Result.SENT] * 3
    elif result is None:
        assert send_results == []
        assert down is not None
        assert (down.code, down.fault) == (int(answer[:3]), fault)
    else:
        assert down is None
        refused, *others = send_results
        assert refused[:3] == (0, result, int(answer[:3]))
        assert refused.fault is fault
        assert [each.result for each in others] == [Result.SENT, Result.SENT]
    written = repr(send_results) + caplog.text
    if down is not None:
        written += "".join(traceback.format_exception(down)) + repr(vars(down))
    assert "mail.example" not in written  # G1, G2
    assert "news.example.org" not in written


def test_d7_a_relay_that_stops_accepting_for_a_quota_blames_no_reader() -> None:
    """Of a list of 60, 20 are sent, and the refusals of the others are the account's fault."""
    relay = Relay(pipelines=True)
    said = (
        "550 Domain news.example.org has exceeded the max emails per hour (20/20 (100%)) allowed."
    )
    relay.answer("RCPT", *["250 ok"] * 20, *[said] * 40)
    transport = registry.from_url(f"smtp://127.0.0.1:{relay.port}?timeout=5&connections=1")
    send_results, down = send(transport, readers(60))
    transport.close()
    relay.close()
    assert down is None
    assert [each.result for each in send_results] == [Result.SENT] * 20 + [Result.FAILED] * 40
    assert {(each.fault, each.status) for each in send_results[20:]} == {(Fault.SENDER, "5.4.5")}


def test_a_message_beyond_size_is_the_messages_fault_and_costs_no_command() -> None:
    relay = Relay()
    relay.answer("EHLO", "250-relay.example\r\n250 SIZE 2000")
    transport = registry.from_url(f"smtp://127.0.0.1:{relay.port}?timeout=5&connections=1")
    compiled = transport.compile(make_email(text="Long text. " * 300))
    (result,) = transport.send(compiled, readers(1))
    transport.close()
    relay.close()
    assert result[:4] == (0, Result.FAILED, 552, "5.3.4")
    assert result.fault is Fault.MESSAGE
    assert not [command for command in relay.commands if command.startswith("MAIL")]

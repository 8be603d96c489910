"""One session, step by step, as an operator sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.transport.outcomes import Fault, Recipient, Result
from newsletter.transport.smtp.dialogue import DialogueStep
from newsletter.transport.smtp.transport import SmtpTransport
from newsletter.transport.smtp.url import parse_relay
from newsletter.transport.url import parse
from tests.transport.cast import make_email, reader
from tests.transport.certificate import certificate
from tests.transport.relay import HANG_UP, SILENT, TOO_MANY, Relay

pytestmark = pytest.mark.server


@pytest.fixture
def sized() -> Iterator[Relay]:
    server = Relay(offers="SIZE 20000\r\n250-AUTH PLAIN LOGIN")
    yield server
    server.close()


def steps(relay: Relay, recipient: Recipient | None = None, **url: str) -> list[DialogueStep]:
    scheme, user, options = url.get("scheme", "smtp"), url.get("user", ""), url.get("options", "")
    address = f"{scheme}://{user}127.0.0.1:{relay.port}?timeout=1{options}"
    transport = SmtpTransport(parse_relay(parse(address)))
    return list(transport.dialogue(make_email(), recipient or reader(0)))


def names(found: list[DialogueStep]) -> list[str]:
    return [step.name for step in found]


def test_each_step_shows_its_code_and_what_the_relay_offers(sized: Relay) -> None:
    found = steps(sized, user="desk:s3cret@")
    assert names(found) == [
        *("connection", "greeting", "EHLO", "AUTH PLAIN"),
        *("MAIL FROM", "RCPT TO", "DATA", "message"),
    ]
    assert all(step.ok and not step.reason for step in found)
    assert [step.code for step in found] == [None, 220, 250, 235, 250, 250, 354, 250]
    assert (found[-1].status, found[-1].result) == ("2.0.0", Result.SENT)
    assert found[2].extensions is not None
    assert found[2].extensions.size == 20000
    assert len(sized.messages) == 1
    assert [command for command in sized.commands if " SIZE=" in command]
    assert "s3cret" not in repr(found)
    assert "reader0" not in repr(found)


@pytest.mark.parametrize(
    ("verb", "answer", "name", "code", "result", "fault"),
    [
        ("greeting", TOO_MANY, "greeting", 421, None, Fault.SPEED),
        ("EHLO", "554 5.7.1 blocked", "EHLO", 554, None, Fault.SENDER),
        ("AUTH", "535 5.7.8 s3cret is wrong", "AUTH PLAIN", 535, None, Fault.SENDER),
        ("MAIL", "550 5.7.1 <desk@news.example> not yours", "MAIL FROM", 550, None, Fault.SENDER),
        ("MAIL", "421 4.7.0 too fast", "MAIL FROM", 421, None, Fault.SPEED),
        ("RCPT", "550 5.1.1 <reader0@mail.example>", "RCPT TO", 550, Result.REFUSED, Fault.READER),
        ("RCPT", HANG_UP, "RCPT TO", None, None, Fault.RELAY),
        ("DATA", "451 4.3.0 later", "DATA", 451, Result.DEFERRED, Fault.RELAY),
        (".", "554 5.7.1 reader0 says spam", "message", 554, Result.FAILED, Fault.MESSAGE),
        (".", SILENT, "message", None, None, Fault.RELAY),
        (".", "nonsense", "message", None, None, Fault.RELAY),
    ],
)
def test_the_step_that_fails_is_the_last(
    sized: Relay,
    verb: str,
    answer: str,
    name: str,
    code: int | None,
    result: Result | None,
    fault: Fault,
) -> None:
    sized.answer(verb, answer)
    found = steps(sized, user="desk:s3cret@")
    last = found[-1]
    assert all(step.ok for step in found[:-1])
    assert (last.name, last.ok, last.code) == (name, False, code)
    assert last.reason
    assert last.fault is fault
    if code is not None:
        assert last.result is result
    for secret in ("s3cret", "reader0", "desk@"):
        assert secret not in repr(found)


def test_a_mechanism_that_is_refused_is_followed_by_the_next(sized: Relay) -> None:
    sized.answer("AUTH", "504 5.5.4 no", "334 VXNlcm5hbWU6")
    sized.answer("ZGVZAW==", "334 UGFzc3dvcmQ6")  # the user name in base64, as a verb
    found = steps(sized, user="desk:s3cret@")
    assert names(found)[3:7] == ["AUTH PLAIN", "AUTH LOGIN", "AUTH LOGIN", "AUTH LOGIN"]
    assert [step.ok for step in found[3:7]] == [False, True, True, True]
    assert found[-1].result is Result.SENT


def test_a_message_larger_than_the_relay_accepts_is_not_sent() -> None:
    relay = Relay(offers="SIZE 100")
    last = steps(relay)[-1]
    relay.close()
    assert (last.name, last.code, last.status) == ("SIZE", 552, "5.3.4")
    assert last.fault is Fault.MESSAGE
    assert not relay.messages


def test_starttls_that_is_missing_is_a_step_of_its_own(sized: Relay) -> None:
    found = steps(sized, options="&starttls=demand")
    assert names(found) == ["connection", "greeting", "EHLO", "STARTTLS"]
    assert "offers no STARTTLS" in found[-1].reason


def test_an_address_that_cannot_be_written_to_is_reported(sized: Relay) -> None:
    [step] = steps(sized, reader(0, "чытач@mail.example"))
    assert (step.name, step.status, step.result) == ("address", "5.6.7", Result.REFUSED)


@pytest.mark.parametrize(
    "expires", [timedelta(days=1), timedelta(days=-1)], ids=["good", "expired"]
)
def test_an_expired_certificate_is_named(tmp_path: Path, expires: timedelta) -> None:
    context, trusted = certificate(tmp_path, expires=expires)
    relay = Relay(tls=context)
    found = steps(relay, scheme="smtps", options=f"&ca={trusted}")
    relay.close()
    if expires > timedelta(0):
        assert names(found)[:3] == ["connection", "TLS", "greeting"]
        assert found[-1].result is Result.SENT
    else:
        assert names(found) == ["connection", "TLS"]
        assert "certificate has expired" in found[-1].reason
        assert found[-1].fault is Fault.RELAY


def test_an_unreachable_relay_is_reported() -> None:
    relay = Relay()
    relay.close()
    [step] = steps(relay)
    assert (step.name, step.ok, step.reason) == ("connection", False, "connection failed")

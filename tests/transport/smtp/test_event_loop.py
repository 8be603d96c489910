"""Several connections: losing one, taking recipients from the caller, and ending a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import Recipient, Result, SendResult, TransportDownError
from newsletter.transport.smtp import event_loop
from newsletter.transport.smtp.transport import SmtpTransport
from newsletter.transport.smtp.url import parse_relay
from newsletter.transport.url import parse
from tests.transport.cast import make_email, reader, readers
from tests.transport.relay import HANG_UP, SILENT, Relay

pytestmark = pytest.mark.server

Build = Callable[[str], AnyTransport]


@pytest.fixture
def build(relay: Relay) -> Iterator[Build]:
    built: list[AnyTransport] = []

    def build(options: str) -> AnyTransport:
        built.append(registry.from_url(f"smtp://127.0.0.1:{relay.port}?{options}"))
        return built[-1]

    yield build
    for transport in built:
        transport.close()


def results(send_results: list[SendResult]) -> list[Result]:
    return [send_result.result for send_result in send_results]


def test_connections_are_opened_when_needed_and_kept(relay: Relay, build: Build) -> None:
    transport = build("connections=3")
    compiled = transport.compile(make_email())
    assert results(list(transport.send(compiled, [reader(0)]))) == [Result.SENT]
    assert relay.connections == 1
    send_results = list(transport.send(compiled, readers(60)))
    assert results(send_results) == [Result.SENT] * 60
    assert sorted(send_result.position for send_result in send_results) == list(range(60))
    assert 1 < relay.connections <= 3
    before = relay.connections
    list(transport.send(compiled, readers(5)))
    assert relay.connections <= max(before, 3)


def test_a_relay_that_limits_connections_is_not_down(relay: Relay, build: Build) -> None:
    transport = build("connections=4&timeout=2")
    compiled = transport.compile(make_email())
    assert results(list(transport.send(compiled, [reader(99)]))) == [Result.SENT]
    relay.answer("greeting", *["421 4.7.0 too many connections" + HANG_UP] * 50)
    send_results = list(transport.send(compiled, readers(40)))
    assert results(send_results) == [Result.SENT] * 40


def test_chunks_are_not_used_until_a_relay_has_replied_quickly(relay: Relay, build: Build) -> None:
    """E7: a chunk can't be withdrawn, and waits for several replies."""
    transport = SmtpTransport(parse_relay(parse(f"smtp://127.0.0.1:{relay.port}?connections=1")))
    compiled = transport.compile(make_email())
    list(transport.send(compiled, [reader(0)]))
    [connection] = transport._pool.connections

    def is_slow() -> bool:
        return connection.engine.is_slow

    assert is_slow()
    list(transport.send(compiled, readers(10)))
    assert not is_slow()
    relay.delays["."] = 1.1
    list(transport.send(compiled, [reader(11)]))
    assert is_slow()
    transport.close()


def test_messages_survive_a_connection_lost_before_the_final_dot(
    relay: Relay, build: Build
) -> None:
    transport = build("connections=2&timeout=2")
    compiled = transport.compile(make_email())
    list(transport.send(compiled, readers(4)))
    relay.answer("DATA", *["354 go on"] * 3, HANG_UP)
    send_results = list(transport.send(compiled, readers(20)))
    assert results(send_results) == [Result.SENT] * 20
    assert sorted(send_result.position for send_result in send_results) == list(range(20))


def test_verp_puts_the_delivery_id_into_the_return_path(relay: Relay, build: Build) -> None:
    """D6: at most 64 octets before the @."""
    transport = build("return_path=bounces.example.org")
    list(transport.send(transport.compile(make_email()), [reader(3)]))
    assert "MAIL FROM:<bounce+d00003@bounces.example.org>" in relay.commands
    longest = Recipient(4, "r@mail.example", "x" * 40, reader(4).urls)
    list(transport.send(transport.compile(make_email()), [longest]))
    [command] = [command for command in relay.commands if "xxx" in command]
    local = command.removeprefix("MAIL FROM:<").partition("@")[0]
    assert local == "bounce+" + "x" * 40
    assert len(local) <= 64


def test_recipients_are_consumed_only_as_there_is_room(relay: Relay, build: Build) -> None:
    transport = build("connections=2")
    compiled = transport.compile(make_email())
    pulled = settled = most = 0

    def source() -> Iterator[Recipient]:
        nonlocal pulled, most
        for recipient in readers(40):
            pulled += 1
            most = max(most, pulled - settled)
            yield recipient

    for _ in transport.send(compiled, source(), max_pending=lambda: 3):
        settled += 1
    assert settled == 40
    assert most <= 3 + 2


def test_an_exception_of_the_caller_is_raised_after_everything_in_flight_is_settled(
    relay: Relay, build: Build
) -> None:
    transport = build("connections=2")

    def source() -> Iterator[Recipient]:
        yield from readers(6)
        raise LookupError("the database went away")

    send_results: list[SendResult] = []
    sending = transport.send(transport.compile(make_email()), source())
    with pytest.raises(LookupError):
        send_results.extend(iter(lambda: next(sending), None))
    assert results(send_results) == [Result.SENT] * len(relay.messages)
    for send_result in send_results:
        to = f"To: reader{send_result.position}@".encode()
        assert [to in message for message in relay.messages].count(True) == 1


def test_after_stop_it_waits_for_messages_in_flight_within_the_grace_period(
    relay: Relay, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop, "GRACE_SECONDS", 1.0)
    relay.answer(".", "250 2.0.0 taken", SILENT)
    transport = build("connections=1&timeout=60")
    begun = time.monotonic()
    send_results = list(
        transport.send(
            transport.compile(make_email()), readers(5), stop=lambda: len(relay.messages) >= 2
        )
    )
    assert results(send_results) == [Result.SENT, Result.UNKNOWN]
    assert len(relay.messages) == 2
    assert time.monotonic() - begun < 5


def test_after_stop_it_waits_for_a_slow_relay(relay: Relay, build: Build) -> None:
    """E7: with a peer that answers, nothing is unknown."""
    relay.answer(".", "250 2.0.0 taken", "250 2.0.0 taken")
    relay.delays["."] = 0.6
    transport = build("connections=1&timeout=60")
    send_results = list(
        transport.send(
            transport.compile(make_email()), readers(5), stop=lambda: len(relay.messages) >= 2
        )
    )
    assert results(send_results) == [Result.SENT] * 2
    assert len(relay.messages) == 2


@pytest.mark.parametrize("answer", ["250 " + "x" * 5000, "\0\1\2"])
def test_a_relay_with_an_invalid_greeting_is_down(relay: Relay, build: Build, answer: str) -> None:
    relay.answer("greeting", answer)
    transport = build("timeout=1")
    with pytest.raises(TransportDownError) as caught:
        list(transport.send(transport.compile(make_email()), [reader(0)]))
    assert "invalid reply during the handshake" in caught.value.reason


def test_a_relay_with_unsolicited_replies_is_down_and_not_tried_forever(
    relay: Relay, build: Build
) -> None:
    relay.answer("greeting", *["220 one\r\n250 two\r\n250 three"] * 20)
    transport = build("timeout=1")
    with pytest.raises(TransportDownError, match="invalid reply"):
        list(transport.send(transport.compile(make_email()), [reader(0)]))
    assert relay.connections < 3


def test_a_relay_that_never_greets_is_down(relay: Relay, build: Build) -> None:
    relay.answer("greeting", SILENT)
    transport = build("timeout=1")
    with pytest.raises(TransportDownError, match="timed out during the handshake"):
        list(transport.send(transport.compile(make_email()), [reader(0)]))


def test_closing_sends_quit(relay: Relay, build: Build) -> None:
    transport = build("connections=1")
    list(transport.send(transport.compile(make_email()), [reader(0)]))
    transport.close()
    for _ in range(50):
        if "QUIT" in relay.commands:
            break
        time.sleep(0.02)
    assert "QUIT" in relay.commands

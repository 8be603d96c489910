"""D9: a refused connection lowers their number, or is waited for; it is no outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from newsletter.transport.outcomes import Fault, Recipient, Result, SendResult, TransportDownError
from newsletter.transport.smtp import openings, pool
from newsletter.transport.smtp.transport import SmtpTransport
from newsletter.transport.smtp.url import parse_relay
from newsletter.transport.url import parse
from tests.transport.cast import make_email, reader, readers
from tests.transport.relay import HANG_UP, RESET, SILENT, TOO_MANY, Relay

pytestmark = pytest.mark.server

Build = Callable[[str], SmtpTransport]


@pytest.fixture
def build(relay: Relay) -> Iterator[Build]:
    built: list[SmtpTransport] = []

    def build(options: str) -> SmtpTransport:
        url = parse(f"smtp://127.0.0.1:{relay.port}?{options}")
        built.append(SmtpTransport(parse_relay(url)))
        return built[-1]

    yield build
    for transport in built:
        transport.close()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "PAUSE_SECONDS", 0.2)


def send(transport: SmtpTransport, recipients: list[Recipient]) -> list[SendResult]:
    return list(transport.send(transport.compile(make_email()), recipients))


def assert_all_sent(send_results: list[SendResult], relay: Relay, count: int) -> None:
    assert sorted(each.position for each in send_results) == list(range(count))
    assert {each.result for each in send_results} == {Result.SENT}
    assert len(relay.messages) == count


@pytest.mark.parametrize("refusal", [TOO_MANY + HANG_UP, "421 busy" + HANG_UP, HANG_UP, RESET])
@pytest.mark.parametrize("limit", [2, 3, 5])
def test_everybody_is_sent_to_and_the_number_is_learned(
    relay: Relay, build: Build, limit: int, refusal: str
) -> None:
    """Issue 11, criterion 2."""
    relay.limit, relay.refusal = limit, refusal
    relay.delays["."] = 0.02
    transport = build("connections=8")
    assert_all_sent(send(transport, readers(24)), relay, 24)
    assert transport.learned()["connections"] == limit
    assert relay.refused
    before = relay.refused
    send(transport, readers(8))
    assert relay.refused == before, "the next batch doesn't try more"


@pytest.mark.parametrize("verb", ["EHLO", "MAIL"])
def test_a_connection_refused_after_the_greeting_lowers_the_number_too(
    relay: Relay, build: Build, verb: str
) -> None:
    transport = build("connections=4")
    send(transport, [reader(0)])
    relay.messages.clear()
    # The connection that is open already says MAIL first.
    first = ["250 ok"] if verb == "MAIL" else []
    relay.answer(verb, *first, "421 4.7.0 too fast" + HANG_UP)
    relay.delays["."] = 0.05
    assert_all_sent(send(transport, readers(30)), relay, 30)
    assert transport.learned()["connections"] in {1, 2, 3}


def test_a_connection_that_is_dropped_in_mid_session_lowers_the_number(
    relay: Relay, build: Build
) -> None:
    relay.delays["."] = 0.02
    transport = build("connections=3")
    send(transport, readers(12))
    relay.messages.clear()
    relay.answer("MAIL", *["250 ok"] * 5, TOO_MANY + HANG_UP)
    assert_all_sent(send(transport, readers(30)), relay, 30)
    assert transport.learned()["connections"] == 2


def test_other_faults_of_one_connection_are_remembered_for_one_call_only(
    relay: Relay, build: Build
) -> None:
    relay.delays["."] = 0.02
    transport = build("connections=3")
    send(transport, [reader(0)])
    relay.messages.clear()
    relay.answer("greeting", "nonsense")
    assert_all_sent(send(transport, readers(30)), relay, 30)
    assert transport.learned()["connections"] == 3


@pytest.mark.parametrize("refusal", [TOO_MANY + HANG_UP, RESET])
def test_if_other_processes_have_all_connections_one_is_waited_for(
    relay: Relay, build: Build, refusal: str
) -> None:
    transport = build("connections=2")
    send(transport, [reader(0)])
    transport.close()
    relay.messages.clear()
    relay.answer("greeting", refusal, refusal)
    assert_all_sent(send(transport, readers(5)), relay, 5)


def test_a_relay_that_says_that_it_has_too_many_is_waited_for_by_a_new_process(
    relay: Relay, build: Build
) -> None:
    relay.answer("greeting", TOO_MANY + HANG_UP, TOO_MANY + HANG_UP)
    assert_all_sent(send(build("connections=2"), readers(5)), relay, 5)


def test_if_none_can_be_had_for_a_while_the_relay_is_down(
    relay: Relay, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings, "PATIENCE_SECONDS", 0.3)
    relay.limit = 0
    relay.refusal = "421 4.7.0 Too many connections, try again in 90 seconds" + HANG_UP
    with pytest.raises(TransportDownError, match=r"greeting: 421 4\.7\.0") as caught:
        send(build("connections=2"), readers(5))
    assert (caught.value.code, caught.value.status) == (421, "4.7.0")
    assert caught.value.fault is Fault.SPEED
    assert caught.value.retry_after == 90
    assert relay.refused > 1


def test_waiting_for_a_connection_ends_when_the_call_is_told_to_stop(
    relay: Relay, build: Build
) -> None:
    """E7."""
    relay.limit = 0
    transport = build("connections=2")
    compiled = transport.compile(make_email())
    assert list(transport.send(compiled, readers(5), stop=lambda: relay.refused > 1)) == []


def test_a_relay_that_refuses_without_a_word_and_never_served_us_is_down(
    relay: Relay, build: Build
) -> None:
    relay.limit, relay.refusal = 0, RESET
    with pytest.raises(TransportDownError, match=r"connection (failed|closed)"):
        send(build("connections=2"), readers(5))
    assert relay.refused == 1


def test_idle_connections_are_closed_so_that_other_processes_can_have_them(
    relay: Relay, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "KEEP_SECONDS", 0.1)
    transport = build("connections=2")
    for _ in range(2):
        send(transport, readers(2))
        _wait_until(lambda: not relay.served)
    assert relay.commands.count("QUIT") >= 2
    assert len(relay.messages) == 4


def test_a_connection_that_has_no_work_during_a_call_is_closed(
    relay: Relay, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.delays["."] = 0.02
    transport = build("connections=3&timeout=1")
    send(transport, readers(12))
    monkeypatch.setattr(pool, "KEEP_SECONDS", 0.2)
    relay.answer(".", SILENT)
    quits_at_the_end = 0
    sending = transport.send(transport.compile(make_email()), readers(3))
    results = []
    for send_result in sending:
        results.append(send_result.result)
        if send_result.result is Result.UNKNOWN:
            quits_at_the_end = relay.commands.count("QUIT")
    assert sorted(results) == [Result.SENT, Result.SENT, Result.UNKNOWN]
    assert quits_at_the_end >= 1


def test_a_process_with_several_offers_one_to_those_that_have_none(
    relay: Relay, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are served at the same time, although one held all of them."""
    monkeypatch.setattr(pool, "OFFER_SECONDS", 0.3)
    relay.limit = 2
    relay.delays["."] = 0.02
    first, second = build("connections=2"), build("connections=2")
    started, done = threading.Event(), threading.Event()
    counts = []

    def send_until_the_other_is_done() -> None:
        compiled = first.compile(make_email())
        everybody = (reader(position) for position in range(100_000))
        sent = 0
        for send_result in first.send(compiled, everybody, stop=done.is_set):
            assert send_result.result is Result.SENT
            sent += 1
            if relay.served == 2:
                started.set()
        counts.append(sent)

    thread = threading.Thread(target=send_until_the_other_is_done)
    thread.start()
    try:
        assert started.wait(10)
        results = [each.result for each in send(second, readers(5))]
    finally:
        done.set()
        thread.join(10)
    assert results == [Result.SENT] * 5
    assert len(relay.messages) == counts[0] + 5


def _wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never happened")

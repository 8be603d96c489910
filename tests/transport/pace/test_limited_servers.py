"""Relays and providers that accept only so much: everything is accepted within the call (D9)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport, never_stop
from newsletter.transport.outcomes import Fault, Recipient, Result, SendResult, TransportDownError
from tests.transport.cast import make_email, reader, readers
from tests.transport.limited_servers import LimitedProvider, LimitedRelay

pytestmark = pytest.mark.server

Relays = Callable[..., tuple[LimitedRelay, AnyTransport]]
Providers = Callable[..., tuple[LimitedProvider, AnyTransport]]


@pytest.fixture
def start_relay() -> Iterator[Relays]:
    started: list[tuple[LimitedRelay, AnyTransport]] = []

    def start(
        limit: int,
        seconds: float = 1,
        *,
        connections: int = 4,
        options: str = "",
        reply: str = "454 4.7.0 slow",
    ) -> tuple[LimitedRelay, AnyTransport]:
        relay = LimitedRelay(limit, seconds, reply=reply)
        url = f"smtp://127.0.0.1:{relay.port}?connections={connections}{options}"
        started.append((relay, registry.from_url(url)))
        return started[-1]

    yield start
    for relay, transport in started:
        transport.close()
        relay.close()


@pytest.fixture
def start_provider() -> Iterator[Providers]:
    started: list[tuple[LimitedProvider, AnyTransport]] = []

    def start(
        limit: int, seconds: float = 1, *, options: str = "", retry_after: int = 1
    ) -> tuple[LimitedProvider, AnyTransport]:
        provider = LimitedProvider(limit, seconds, retry_after=retry_after)
        url = f"anymail+scaleway://?secret_key=k&project_id=p&api_url={provider.url}/{options}"
        started.append((provider, registry.from_url(url)))
        return started[-1]

    yield start
    for provider, transport in started:
        transport.close()
        provider.close()


def send(
    transport: AnyTransport,
    recipients: list[Recipient],
    *,
    stop: Callable[[], bool] = never_stop,
    max_pending: int = 50,
) -> list[SendResult]:
    compiled = transport.compile(make_email())
    return list(transport.send(compiled, recipients, stop=stop, max_pending=lambda: max_pending))


def results(send_results: list[SendResult]) -> Counter[Result]:
    assert len({each.position for each in send_results}) == len(send_results)
    return Counter(each.result for each in send_results)


@pytest.mark.slow
@pytest.mark.parametrize("reply", ["454 4.7.0 slow down", "450 4.7.1 too fast", "432 4.3.2 later"])
def test_d9_a_relay_that_refuses_above_its_limit_accepts_all_within_the_call(
    start_relay: Relays, reply: str
) -> None:
    relay, transport = start_relay(14, 0.5, reply=reply)
    assert results(send(transport, readers(60))) == {Result.SENT: 60}
    assert len(set(relay.recipients)) == len(relay.recipients) == 60
    assert 0 < len(relay.limiter.refused) < 40
    assert not transport.pace.free


@pytest.mark.slow
def test_a_stated_rate_is_never_refused(start_relay: Relays) -> None:
    relay, transport = start_relay(14, options="&rate=14/s")
    assert results(send(transport, readers(45))) == {Result.SENT: 45}
    assert relay.limiter.refused == []
    assert relay.limiter.busiest(1) <= 14


@pytest.mark.slow
def test_a_provider_is_asked_again_after_retry_after(start_provider: Providers) -> None:
    provider, transport = start_provider(2, 0.5)
    assert results(send(transport, readers(10))) == {Result.SENT: 10}
    assert 0 < len(provider.limiter.refused) <= 3
    # It waited as long as it was told to.
    refused = provider.limiter.refused[0]
    assert min(each for each in provider.limiter.accepted if each > refused) >= refused + 1


@pytest.mark.slow
def test_a_stated_rate_of_calls_is_never_refused(start_provider: Providers) -> None:
    provider, transport = start_provider(2, options="&calls=2/s")
    assert results(send(transport, readers(7))) == {Result.SENT: 7}
    assert provider.limiter.refused == []


def test_a_retry_after_beyond_the_lease_ends_the_call(start_provider: Providers) -> None:
    provider, transport = start_provider(2, 60, retry_after=3_600)
    accepted: list[SendResult] = []
    compiled = transport.compile(make_email())
    with pytest.raises(TransportDownError) as raised:
        accepted.extend(transport.send(compiled, readers(5)))
    assert (raised.value.fault, raised.value.code) == (Fault.SPEED, 429)
    assert raised.value.retry_after == 3_600
    assert len(provider.requests) == 3


def test_a_provider_that_asks_to_wait_can_be_stopped(start_provider: Providers) -> None:
    provider, transport = start_provider(2, 60, retry_after=30)
    sent = send(transport, readers(5), stop=lambda: len(provider.requests) >= 3)
    assert len(sent) == 2
    assert len(provider.requests) == 3


def test_a_relay_that_only_refuses_for_speed_is_down_for_a_time(start_relay: Relays) -> None:
    # With several, the refusal on one may end the call before a message on another is accepted.
    relay, transport = start_relay(2, 60, connections=1)
    transport.pace.max_wait = 0.5
    compiled = transport.compile(make_email())
    sent: list[SendResult] = []
    with pytest.raises(TransportDownError, match="asks to slow down") as raised:
        sent.extend(transport.send(compiled, readers(30)))
    assert raised.value.fault is Fault.SPEED
    assert (raised.value.retry_after or 0) >= 1
    assert results(sent)[Result.SENT] == 2
    assert len(relay.recipients) == 2


def test_a_stop_ends_the_wait_for_a_relay(start_relay: Relays) -> None:
    relay, transport = start_relay(2, 60)
    refused = relay.limiter.refused
    sent = send(
        transport,
        readers(30),
        stop=lambda: bool(refused) and time.monotonic() > refused[0] + 0.3,
    )
    assert results(sent)[Result.SENT] == len(relay.recipients) == 2
    assert set(results(sent)) <= {Result.SENT, Result.DEFERRED}


def test_one_providers_limit_does_not_hold_up_the_others(start_relay: Relays) -> None:
    relay, transport = start_relay(1_000, options="&rate.gmail.com=1/m")
    recipients = [
        reader(position, f"r{position}@{'gmail.com' if position % 2 else 'mail.example'}")
        for position in range(40)
    ]
    sent = send(transport, recipients, stop=lambda: len(relay.recipients) >= 20, max_pending=10)
    # At most half of what may be pending is set aside; the rest waits for the next batch.
    deferred = [each for each in sent if each.result is Result.DEFERRED]
    assert results(sent)[Result.SENT] == 20
    assert all(each.fault is Fault.SPEED and each.position % 2 for each in deferred)
    assert len(deferred) >= 10
    assert not any("gmail" in each for each in relay.recipients)


def test_a_mailbox_providers_readers_come_last_and_are_deferred(start_provider: Providers) -> None:
    provider, transport = start_provider(1_000, options="&rate.gmail.com=1/m")
    transport.pace.max_wait = 0.3
    recipients = [
        reader(position, f"r{position}@{'gmail.com' if position % 2 else 'mail.example'}")
        for position in range(8)
    ]
    sent = send(transport, recipients)
    assert results(sent)[Result.SENT] == 4
    deferred = [each for each in sent if each.result is Result.DEFERRED]
    assert {each.fault for each in deferred} == {Fault.SPEED}
    assert len(provider.requests) == 4


def test_an_allowance_ends_the_call_after_everything_is_settled(start_relay: Relays) -> None:
    relay, transport = start_relay(1_000, options="&rate=20/d")
    compiled = transport.compile(make_email())
    sent: list[SendResult] = []
    with pytest.raises(TransportDownError, match="limit of 20/d reached"):
        sent.extend(transport.send(compiled, readers(30)))
    assert results(sent) == {Result.SENT: 18}
    assert len(relay.recipients) == 18


def test_an_allowance_is_used_up_by_the_last_call_of_a_provider(start_provider: Providers) -> None:
    provider, transport = start_provider(1_000, options="&rate=4/d")
    compiled = transport.compile(make_email())
    sent: list[SendResult] = []
    with pytest.raises(TransportDownError, match="limit of 4/d reached"):
        sent.extend(transport.send(compiled, readers(30)))
    assert results(sent) == {Result.SENT: 3}
    assert len(provider.requests) == 3


def test_messages_that_wait_for_their_turn_stay_bounded(start_relay: Relays) -> None:
    """P1: a killed worker leaves in doubt the messages that it pulled and that have no result."""
    _, transport = start_relay(1_000, options="&rate=100/s")
    pulled: list[int] = []

    def pull() -> Iterator[Recipient]:
        for each in readers(60):
            pulled.append(each.position)
            yield each

    compiled = transport.compile(make_email())
    done = 0
    for _ in transport.send(compiled, pull(), max_pending=lambda: 5):
        assert len(pulled) - done <= 5 + 4
        done += 1
        time.sleep(0.001)
    assert done == 60

"""The SMTP engine against random refusals, losses, splits and garbage."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.transport.outcomes import Result
from newsletter.transport.smtp.engine import Engine
from tests.transport.smtp.engine_driver import content, engine, message, ready, said
from tests.transport.smtp.model_relay import DROP, OK, ModelRelay

REFUSALS = ["451 4.3.0 later", "550 5.1.1 unknown", "554 5.7.1 spam", "421 4.3.2 bye", DROP]


def converse(peer: Engine, relay: ModelRelay, count: int, chance: random.Random) -> None:
    """Run until the connection ends or nothing is left, splitting writes and reads at random."""
    waiting = [message(position) for position in range(count)][::-1]
    heard = 0
    while not peer.closed:
        while waiting and peer.has_room:
            peer.start(waiting.pop())
        wrote = b"".join(bytes(chunk) for chunk in peer.output.chunks)
        wrote = wrote[: chance.randint(1, len(wrote))] if wrote else b""
        if wrote:
            relay.feed(wrote)
            peer.output.mark_written(len(wrote))
        fresh = relay.said[heard:]
        if fresh and chance.random() < 0.7:
            piece = fresh[: chance.randint(1, len(fresh))]
            heard += len(piece)
            peer.receive(piece)
        elif relay.closed and not fresh:
            peer.receive(b"")
        elif not fresh and not peer.output.chunks and not (waiting and peer.has_room):
            break
    peer.unsent += waiting


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    extensions=st.sets(st.sampled_from(["PIPELINING", "CHUNKING", "SIZE"])),
    without=st.sampled_from(["", "554 5.5.1 none", "250 2.0.0 whatever"]),
    rate=st.sampled_from([0.0, 0.05, 0.3]),
    window=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
def test_every_result_agrees_with_the_relay(
    extensions: set[str], without: str, rate: float, window: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311

    def answer(verb: str) -> str:
        if verb in {"EHLO", "RSET"} or chance.random() >= rate:
            return OK
        return chance.choice(REFUSALS)

    peer = engine(window=window)
    relay = ModelRelay(["HELP", *sorted(extensions)], answer, goes_on_without_recipients=without)
    converse(peer, relay, 12, chance)
    _assert_agrees(peer, relay, 12)


@settings(max_examples=100, deadline=None)
@given(window=st.integers(1, 8), lost=st.integers(0, 60), seed=st.integers(0, 2**32))
def test_results_agree_with_the_relay_wherever_the_connection_breaks(
    window: int, lost: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    left = lost

    def answer(verb: str) -> str:
        nonlocal left
        left -= 1
        return DROP if left < 0 and verb != "EHLO" else OK

    peer = engine(window=window)
    relay = ModelRelay(answer=answer)
    converse(peer, relay, 12, chance)
    _assert_agrees(peer, relay, 12)


def _assert_agrees(peer: Engine, relay: ModelRelay, count: int) -> None:
    results = {send_result.position: send_result.result for send_result in peer.results}
    unsent = [left.position for left in peer.unsent]
    assert sorted([*results, *unsent]) == list(range(count)), "each message comes out once"
    assert len(results) == len(peer.results)
    taken = []
    for rcpts, text in relay.taken:
        assert len(rcpts) == 1, "a message reaches only its own recipient"
        assert text == content(rcpts[0])
        taken.append(int(rcpts[0].removeprefix(b"reader").partition(b"@")[0]))
    assert len(taken) == len(set(taken))
    for position in range(count):
        result = results.get(position)
        if result is Result.SENT:
            assert position in taken
        if position in taken:
            assert result in {Result.SENT, Result.UNKNOWN}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"250 ok\r\n", b"354 x\r\n", b"421 x\r\n", b"550-\r\n", b"\r\n", b"2"]
            ),
        ),
        max_size=30,
    ),
    st.sampled_from([("PIPELINING",), ("PIPELINING", "CHUNKING"), ("SIZE",)]),
)
def test_garbage_never_loses_a_message(pieces: list[bytes], extensions: tuple[str, ...]) -> None:
    peer = ready(*extensions)
    waiting = [message(position) for position in range(5)]
    for piece in pieces:
        while waiting and peer.has_room:
            peer.start(waiting.pop())
        said(peer)
        peer.receive(piece)
    peer.receive(b"")
    assert peer.closed
    positions = [h.position for h in peer.results] + [left.position for left in peer.unsent]
    assert sorted(positions + [left.position for left in waiting]) == list(range(5))

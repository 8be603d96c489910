"""The protocol without I/O: transcripts of real relays, every cut, random refusals, and garbage."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.transport.outcomes import Result, SendResult
from newsletter.transport.smtp.engine import Engine, Message
from newsletter.transport.smtp.replies import MAX_LINE_LENGTH, MAX_LINES
from newsletter.transport.smtp.url import Relay
from tests.transport.model import DROP, OK, ModelRelay


def engine(**options: Any) -> Engine:
    fields: dict[str, Any] = {"host": "relay.example", "port": 25, "tls": "never", "helo": "me"}
    return Engine(Relay(**{**fields, **options}))


def message(position: int) -> Message:
    rcpt = f"reader{position}@mail.example".encode()
    return Message(position, b"desk@news.example", rcpt, [content(rcpt)])


def content(rcpt: bytes) -> bytes:
    return b"To: %b\r\n\r\nHello\r\n" % rcpt


def said(peer: Engine) -> list[str]:
    """What it wrote since the last look, in lines."""
    data = b"".join(bytes(piece) for piece in peer.out)
    peer.wrote(len(data))
    return data.decode().split("\r\n")[:-1]


def hear(peer: Engine, *lines: str) -> list[str]:
    peer.receive("".join(f"{line}\r\n" for line in lines).encode())
    return said(peer)


MAIL = "MAIL FROM:<desk@news.example>"


def envelope(position: int) -> list[str]:
    return [MAIL, f"RCPT TO:<reader{position}@mail.example>"]


def body(position: int) -> list[str]:
    return [f"To: reader{position}@mail.example", "", "Hello"]


POSTFIX = (
    "250-mail.example.org",
    "250-PIPELINING",
    "250-SIZE 10240000",
    "250-VRFY",
    "250-ETRN",
    "250-STARTTLS",
    "250-AUTH PLAIN LOGIN",
    "250-ENHANCEDSTATUSCODES",
    "250-8BITMIME",
    "250-DSN",
    "250-SMTPUTF8",
    "250 CHUNKING",
)


def ready(*extensions: str, **options: Any) -> Engine:
    """Greeted; the first message was taken, so that it goes as fast as it may."""
    peer = engine(**options)
    hear(peer, "220 relay.example ESMTP")
    hear(peer, *(f"250-{name}" for name in ("relay.example", *extensions)), "250 HELP")
    assert peer.is_ready
    for position in (98, 99):
        peer.begin(message(position))
        if "CHUNKING" in extensions:
            hear(peer, *["250 ok"] * 3)
        elif "PIPELINING" in extensions:
            hear(peer, "250 ok", "250 ok", "354 go on")
            hear(peer, "250 taken")
        else:
            for reply in ("250 ok", "250 ok", "354 go on", "250 taken"):
                hear(peer, reply)
    assert [send_result.result for send_result in peer.settled] == [Result.SENT] * 2
    peer.settled.clear()
    said(peer)
    return peer


def test_postfix_with_starttls_and_sign_in() -> None:
    peer = engine(tls="demand", user="desk", password="p@ss")
    assert hear(peer, "220 mail.example.org ESMTP Postfix (Debian/GNU)") == ["EHLO me"]
    assert hear(peer, *POSTFIX) == ["STARTTLS"]
    assert hear(peer, "220 2.0.0 Ready to start TLS") == []
    assert peer.wants_tls
    peer.encrypted()
    assert said(peer) == ["EHLO me"]
    assert hear(peer, *POSTFIX) == ["AUTH PLAIN AGRlc2sAcEBzcw=="]
    hear(peer, "235 2.7.0 Authentication successful")
    assert peer.is_ready
    peer.begin(message(0))
    size = message(0).size
    rcpt = "RCPT TO:<reader0@mail.example>"
    assert said(peer) == [f"{MAIL} SIZE={size}", rcpt, f"BDAT {size} LAST", *body(0)]
    hear(peer, "250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4F2B")
    assert peer.settled == [SendResult(0, Result.SENT, 250, "2.0.0")]


def test_exim_pipelines_and_refuses_in_several_lines() -> None:
    peer = engine()
    greeting = "220-mail.example.org ESMTP Exim 4.96 Mon, 31 Jul 2017 09:00:00 +0000"
    assert hear(peer, greeting, "220-We do not authorize the use of this system", "220 .") == [
        "EHLO me"
    ]
    hear(
        peer,
        "250-mail.example.org Hello me [10.0.0.1]",
        "250-SIZE 52428800",
        "250-8BITMIME",
        "250-PIPELINING",
        "250-PIPECONNECT",
        "250 HELP",
    )
    peer.begin(message(0))
    assert said(peer)[-1] == "DATA"
    lines = hear(
        peer,
        "250 OK",
        "550-Callout verification failed:",
        "550 550 5.1.1 <reader0@mail.example> unknown",
        "354 Enter message",
    )
    assert lines == ["."], "RFC 2920, 3.1: nothing but the end of a message without recipients"
    hear(peer, "554 No valid recipients")
    assert peer.settled == [SendResult(0, Result.REFUSED, 550, "")]
    assert peer.has_room


def test_exchange_signs_in_by_login_and_speaks_in_any_case() -> None:
    peer = engine(user="desk", password="p@ss", tls="implicit")
    hear(peer, "220 EX01.corp.example Microsoft ESMTP MAIL Service ready")
    lines = hear(
        peer,
        "250-EX01.corp.example Hello [10.0.0.1]",
        "250-SIZE 37748736",
        "250-pipelining",
        "250-DSN",
        "250-ENHANCEDSTATUSCODES",
        "250-AUTH=LOGIN",
        "250-8bitmime",
        "250-BINARYMIME",
        "250 chunking",
    )
    assert lines == ["AUTH LOGIN"]
    assert hear(peer, "334 VXNlcm5hbWU6") == ["ZGVzaw=="]
    assert hear(peer, "334 UGFzc3dvcmQ6") == ["cEBzcw=="]
    hear(peer, "235 2.7.0 Authentication successful")
    peer.begin(message(0))
    assert said(peer)[2].startswith("BDAT ")
    hear(
        peer,
        "250 2.1.0 Sender OK",
        "250 2.1.5 Recipient OK",
        "250 2.6.0 <x> [InternalId=1] Queued mail for delivery",
    )
    assert peer.settled == [SendResult(0, Result.SENT, 250, "2.6.0")]


def test_gmail_slows_down_in_several_lines_in_mid_stream() -> None:
    peer = ready("PIPELINING", "CHUNKING", "SIZE 157286400")
    for position in range(3):
        peer.begin(message(position))
    said(peer)
    hear(peer, "250 2.1.0 OK a1 - gsmtp", "250 2.1.5 OK a1 - gsmtp", "250 2.0.0 OK a1 - gsmtp")
    hear(
        peer,
        "250 2.1.0 OK",
        "250 2.1.0 OK",
        "421-4.7.28 Our system has detected an unusual rate of",
        "421 4.7.28 mail. a1 - gsmtp",
    )
    assert peer.settled == [SendResult(0, Result.SENT, 250, "2.0.0")]
    peer.receive(b"")
    assert peer.over == "rcpt: 421 4.7.28"
    assert [left.position for left in peer.unsent] == [1, 2]
    assert len(peer.settled) == 1


def test_421_to_a_chunk_leaves_those_behind_it_in_doubt_only_if_the_line_breaks() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    for position in range(3):
        peer.begin(message(position))
    said(peer)
    hear(peer, "250 ok", "250 ok", "421 4.3.2 shutting down")
    peer.fail("it went silent")
    assert [left.position for left in peer.unsent] == [0]
    assert [(h.position, h.result) for h in peer.settled] == [
        (1, Result.UNKNOWN),
        (2, Result.UNKNOWN),
    ]


def test_the_final_dot_and_the_next_envelope_are_one_write() -> None:
    peer = ready("PIPELINING")
    peer.begin(message(0))
    said(peer)
    peer.receive(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    assert peer.has_room
    peer.begin(message(1))
    assert said(peer) == [*body(0), ".", *envelope(1), "DATA"]
    assert not peer.has_room, "another envelope has to wait for 354"
    assert hear(peer, "250 taken", "250 ok", "250 ok", "354 go on") == [*body(1), "."]


def test_chunks_go_ahead_up_to_the_window_each_after_a_reset() -> None:
    peer = ready("PIPELINING", "CHUNKING", window=3)
    for position in range(3):
        assert peer.has_room
        peer.begin(message(position))
    assert not peer.has_room
    lines = said(peer)
    assert lines.count("RSET") == 2
    hear(peer, "250 ok", "250 ok", "250 taken")
    assert peer.has_room
    peer.begin(message(3))
    assert not peer.has_room


def test_the_window_opens_with_each_answer() -> None:
    peer = engine()
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250-PIPELINING", "250 CHUNKING")
    peer.begin(message(0))
    assert not peer.has_room
    hear(peer, "250 ok", "250 ok", "250 taken")
    peer.begin(message(1))
    assert peer.has_room


def test_a_slow_relay_gets_no_chunks() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.is_slow = True
    peer.begin(message(0))
    assert said(peer)[-1] == "DATA"


def test_chunks_need_pipelining() -> None:
    peer = ready("SIZE")
    peer.begin(message(0))
    assert said(peer) == [f"{MAIL} SIZE={message(0).size}"]
    assert hear(peer, "250 ok") == ["RCPT TO:<reader0@mail.example>"]
    assert hear(peer, "451 4.7.1 later") == []
    assert peer.settled == [SendResult(0, Result.DEFERRED, 451, "4.7.1")]
    peer.begin(message(1))
    assert said(peer)[0] == "RSET"


def test_a_message_beyond_the_relays_size_is_not_begun() -> None:
    peer = engine()
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250 SIZE 10")
    peer.begin(message(0))
    assert said(peer) == []
    assert peer.settled == [SendResult(0, Result.FAILED, None, "5.3.4")]


def test_a_relay_that_refuses_the_sender_and_wants_the_message_gets_none() -> None:
    peer = ready("PIPELINING")
    peer.begin(message(0))
    said(peer)
    assert hear(peer, "451 4.3.0 later", "250 ok", "354 go on") == []
    assert peer.over
    assert peer.settled == [SendResult(0, Result.DEFERRED, 451, "4.3.0")]


def test_a_relay_that_refuses_the_sender_and_takes_the_chunk_leaves_doubt() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.begin(message(0))
    said(peer)
    hear(peer, "451 4.3.0 later", "250 ok", "250 taken")
    assert [send_result.result for send_result in peer.settled] == [Result.UNKNOWN]


def test_what_was_not_written_to_its_end_is_provably_unsent() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.begin(message(0))
    total = sum(len(piece) for piece in peer.out)
    peer.wrote(total - 1)
    peer.receive(b"")
    assert peer.settled == []
    assert [left.position for left in peer.unsent] == [0]


def test_asked_to_stop_it_finishes_what_the_relay_may_have_and_nothing_else() -> None:
    peer = ready("PIPELINING")
    peer.begin(message(0))
    hear(peer, "250 ok", "250 ok", "354 go on")
    peer.begin(message(1))
    said(peer)
    peer.stop()
    assert not peer.over
    assert hear(peer, "250 2.0.0 taken", "250 ok", "250 ok", "354 go on") == []
    assert peer.settled == [SendResult(0, Result.SENT, 250, "2.0.0")]
    assert [left.position for left in peer.unsent] == [1]


def test_after_a_pause_nothing_is_begun_until_the_relay_shows_that_it_lives() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.probe()
    assert said(peer) == ["RSET"]
    assert not peer.has_room
    hear(peer, "250 ok")
    assert peer.has_room


@pytest.mark.parametrize("before", ["250-evil.example", "250 evil", "22"])
def test_what_is_said_before_tls_is_no_part_of_what_is_said_in_it(before: str) -> None:
    peer = engine(tls="demand")
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250 STARTTLS")
    peer.receive(f"220 go ahead\r\n{before}\r\n".encode()[: -2 if before == "22" else None])
    assert peer.over == "it answered nonsense"


def test_an_offer_made_without_tls_is_forgotten_in_it() -> None:
    peer = engine(tls="demand", user="desk", password="p@ss")
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250-STARTTLS", "250 AUTH PLAIN")
    hear(peer, "220 go")
    peer.encrypted()
    hear(peer, "250 relay")
    assert peer.down is not None
    assert "no way to sign in" in peer.down.reason


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\r\n",
        b"999 what\r\n",
        b"100 what\r\n",
        b"25\r\n",
        b"250_ok\r\n",
        b"250-a\r\n550 b\r\n",
        b"\0\r\n",
        b"250 " + b"x" * MAX_LINE_LENGTH + b"\r\n",
        b"250-" + b"x" * MAX_LINE_LENGTH,
        b"250-x\r\n" * (MAX_LINES + 1),
    ],
)
def test_nonsense_ends_the_connection(nonsense: bytes) -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.begin(message(0))
    said(peer)
    peer.receive(b"250 ok\r\n" + nonsense)
    assert peer.over == "it answered nonsense"
    assert [send_result.result for send_result in peer.settled] == [Result.UNKNOWN]


def test_a_relay_that_speaks_out_of_turn_is_left() -> None:
    peer = ready("PIPELINING")
    peer.receive(b"250 and another thing\r\n")
    assert peer.over == "it answered nonsense"


def test_replies_may_end_in_lf_and_have_no_text() -> None:
    peer = engine()
    peer.receive(b"220\n")
    assert said(peer) == ["EHLO me"]
    peer.receive(b"250-relay\n250-PIPELINING\n250\n")
    assert peer.is_ready


DIALOGUE = (
    b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n",
    b"250-2.0.0 taken\r\n250 2.0.0 it\r\n250 ok\r\n550-5.1.1 no\r\n"
    b"550 5.1.1 such\r\n554 5.5.1 none\r\n",
    b"250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n",
    b"421 4.3.2 shutting down\r\n",
)


@pytest.mark.parametrize("width", [1, 2, 3, 7, 1000])
def test_replies_split_at_every_byte_come_to_the_same(width: int) -> None:
    peer = ready("PIPELINING")
    waiting = [message(2), message(1), message(0)]
    for part in DIALOGUE:
        while waiting and peer.has_room:
            peer.begin(waiting.pop())
        said(peer)
        for at in range(0, len(part), width):
            peer.receive(part[at : at + width])
    assert peer.settled == [
        SendResult(0, Result.SENT, 250, "2.0.0"),
        SendResult(1, Result.REFUSED, 550, "5.1.1"),
    ]
    assert [left.position for left in peer.unsent] == [2]
    assert peer.over == "final: 421 4.3.2"


REFUSALS = ["451 4.3.0 later", "550 5.1.1 unknown", "554 5.7.1 spam", "421 4.3.2 bye", DROP]


def converse(peer: Engine, relay: ModelRelay, count: int, chance: random.Random) -> None:
    """Until the connection ends or all is settled; every write and read is cut at random."""
    waiting = [message(position) for position in range(count)][::-1]
    heard = 0
    while not peer.over:
        while waiting and peer.has_room:
            peer.begin(waiting.pop())
        wrote = b"".join(bytes(piece) for piece in peer.out)
        wrote = wrote[: chance.randint(1, len(wrote))] if wrote else b""
        if wrote:
            relay.feed(wrote)
            peer.wrote(len(wrote))
        fresh = relay.said[heard:]
        if fresh and chance.random() < 0.7:
            piece = fresh[: chance.randint(1, len(fresh))]
            heard += len(piece)
            peer.receive(piece)
        elif relay.closed and not fresh:
            peer.receive(b"")
        elif not fresh and not peer.out and not (waiting and peer.has_room):
            break
    peer.unsent += waiting


@settings(max_examples=300, deadline=None)
@given(
    extensions=st.sets(st.sampled_from(["PIPELINING", "CHUNKING", "SIZE"])),
    without=st.sampled_from(["", "554 5.5.1 none", "250 2.0.0 whatever"]),
    rate=st.sampled_from([0.0, 0.05, 0.3]),
    window=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
def test_every_message_comes_to_what_the_relay_made_of_it(
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
    _agrees(peer, relay, 12)


@settings(max_examples=100, deadline=None)
@given(window=st.integers(1, 8), lost=st.integers(0, 60), seed=st.integers(0, 2**32))
def test_a_line_that_breaks_anywhere_leaves_no_one_wrong(window: int, lost: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    left = lost

    def answer(verb: str) -> str:
        nonlocal left
        left -= 1
        return DROP if left < 0 and verb != "EHLO" else OK

    peer = engine(window=window)
    relay = ModelRelay(answer=answer)
    converse(peer, relay, 12, chance)
    _agrees(peer, relay, 12)


def _agrees(peer: Engine, relay: ModelRelay, count: int) -> None:
    results = {send_result.position: send_result.result for send_result in peer.settled}
    unsent = [left.position for left in peer.unsent]
    assert sorted([*results, *unsent]) == list(range(count)), "each comes out once"
    assert len(results) == len(peer.settled)
    taken = []
    for rcpts, text in relay.taken:
        assert len(rcpts) == 1, "one reader's message reaches that reader alone"
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
def test_garbage_never_makes_it_stumble(pieces: list[bytes], extensions: tuple[str, ...]) -> None:
    peer = ready(*extensions)
    waiting = [message(position) for position in range(5)]
    for piece in pieces:
        while waiting and peer.has_room:
            peer.begin(waiting.pop())
        said(peer)
        peer.receive(piece)
    peer.receive(b"")
    assert peer.over
    positions = [h.position for h in peer.settled] + [left.position for left in peer.unsent]
    assert sorted(positions + [left.position for left in waiting]) == list(range(5))

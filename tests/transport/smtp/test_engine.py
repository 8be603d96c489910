"""The SMTP protocol without I/O: dialogues with real relays, refusals, TLS and invalid replies."""

from __future__ import annotations

import pytest

from newsletter.transport.outcomes import Fault, Result, SendResult
from newsletter.transport.smtp.replies import MAX_LINE_LENGTH, MAX_LINES
from tests.transport.smtp.engine_driver import engine, has_room, hear, message, ready, said

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


def test_postfix_with_starttls_and_authentication() -> None:
    peer = engine(tls="demand", user="desk", password="p@ss")
    assert hear(peer, "220 mail.example.org ESMTP Postfix (Debian/GNU)") == ["EHLO me"]
    assert hear(peer, *POSTFIX) == ["STARTTLS"]
    assert hear(peer, "220 2.0.0 Ready to start TLS") == []
    assert peer.wants_tls
    peer.tls_established()
    assert said(peer) == ["EHLO me"]
    assert hear(peer, *POSTFIX) == ["AUTH PLAIN AGRlc2sAcEBzcw=="]
    hear(peer, "235 2.7.0 Authentication successful")
    assert peer.is_ready
    peer.start(message(0))
    size = message(0).size
    rcpt = "RCPT TO:<reader0@mail.example>"
    assert said(peer) == [f"{MAIL} SIZE={size}", rcpt, f"BDAT {size} LAST", *body(0)]
    hear(peer, "250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4F2B")
    assert peer.results == [SendResult(0, Result.SENT, 250, "2.0.0")]


def test_exim_refuses_in_several_lines_while_pipelining() -> None:
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
    peer.start(message(0))
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
    assert peer.results == [SendResult(0, Result.REFUSED, 550, "", fault=Fault.READER)]
    assert has_room(peer)


def test_exchange_uses_auth_login_and_lower_case_keywords() -> None:
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
    peer.start(message(0))
    assert said(peer)[2].startswith("BDAT ")
    hear(
        peer,
        "250 2.1.0 Sender OK",
        "250 2.1.5 Recipient OK",
        "250 2.6.0 <x> [InternalId=1] Queued mail for delivery",
    )
    assert peer.results == [SendResult(0, Result.SENT, 250, "2.6.0")]


def test_gmail_throttles_with_a_multi_line_reply_in_mid_stream() -> None:
    peer = ready("PIPELINING", "CHUNKING", "SIZE 157286400")
    for position in range(3):
        peer.start(message(position))
    said(peer)
    hear(peer, "250 2.1.0 OK a1 - gsmtp", "250 2.1.5 OK a1 - gsmtp", "250 2.0.0 OK a1 - gsmtp")
    hear(
        peer,
        "250 2.1.0 OK",
        "250 2.1.0 OK",
        "421-4.7.28 Our system has detected an unusual rate of",
        "421 4.7.28 mail. a1 - gsmtp",
    )
    assert peer.results == [SendResult(0, Result.SENT, 250, "2.0.0")]
    peer.receive(b"")
    assert peer.closed == "rcpt: 421 4.7.28"
    assert [left.position for left in peer.unsent] == [1, 2]
    assert len(peer.results) == 1


def test_after_421_later_chunks_are_in_doubt_only_if_the_connection_breaks() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    for position in range(3):
        peer.start(message(position))
    said(peer)
    hear(peer, "250 ok", "250 ok", "421 4.3.2 shutting down")
    peer.fail("timed out")
    assert [left.position for left in peer.unsent] == [0]
    assert [(h.position, h.result) for h in peer.results] == [
        (1, Result.UNKNOWN),
        (2, Result.UNKNOWN),
    ]


def test_the_final_dot_and_the_next_envelope_are_one_write() -> None:
    peer = ready("PIPELINING")
    peer.start(message(0))
    said(peer)
    peer.receive(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    assert has_room(peer)
    peer.start(message(1))
    assert said(peer) == [*body(0), ".", *envelope(1), "DATA"]
    assert not has_room(peer), "another envelope has to wait for 354"
    assert hear(peer, "250 taken", "250 ok", "250 ok", "354 go on") == [*body(1), "."]


def test_chunks_fill_the_window_each_after_a_reset() -> None:
    peer = ready("PIPELINING", "CHUNKING", window=3)
    for position in range(3):
        assert has_room(peer)
        peer.start(message(position))
    assert not has_room(peer)
    lines = said(peer)
    assert lines.count("RSET") == 2
    hear(peer, "250 ok", "250 ok", "250 taken")
    assert has_room(peer)
    peer.start(message(3))
    assert not has_room(peer)


def test_the_window_grows_with_each_reply() -> None:
    peer = engine()
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250-PIPELINING", "250 CHUNKING")
    peer.start(message(0))
    assert not has_room(peer)
    hear(peer, "250 ok", "250 ok", "250 taken")
    peer.start(message(1))
    assert has_room(peer)


def test_a_slow_relay_gets_no_chunks() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.is_slow = True
    peer.start(message(0))
    assert said(peer)[-1] == "DATA"


def test_chunks_need_pipelining() -> None:
    peer = ready("SIZE")
    peer.start(message(0))
    assert said(peer) == [f"{MAIL} SIZE={message(0).size}"]
    assert hear(peer, "250 ok") == ["RCPT TO:<reader0@mail.example>"]
    assert hear(peer, "451 4.7.1 later") == []
    assert peer.results == [SendResult(0, Result.DEFERRED, 451, "4.7.1", fault=Fault.SENDER)]
    peer.start(message(1))
    assert said(peer)[0] == "RSET"


def test_a_message_beyond_the_relays_size_limit_is_not_started() -> None:
    peer = engine()
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250 SIZE 10")
    peer.start(message(0))
    assert said(peer) == []
    assert peer.results == [SendResult(0, Result.FAILED, 552, "5.3.4", fault=Fault.MESSAGE)]


def test_a_relay_that_refuses_the_sender_but_asks_for_the_content_gets_none() -> None:
    peer = ready("PIPELINING")
    peer.start(message(0))
    said(peer)
    assert hear(peer, "451 4.3.0 later", "250 ok", "354 go on") == []
    assert peer.closed
    assert peer.results == [SendResult(0, Result.DEFERRED, 451, "4.3.0", fault=Fault.RELAY)]


def test_a_message_is_unknown_if_the_relay_refuses_the_sender_but_accepts_the_chunk() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.start(message(0))
    said(peer)
    hear(peer, "451 4.3.0 later", "250 ok", "250 taken")
    assert [send_result.result for send_result in peer.results] == [Result.UNKNOWN]


def test_a_message_that_was_not_fully_written_is_unsent() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.start(message(0))
    total = sum(len(chunk) for chunk in peer.output.chunks)
    peer.output.mark_written(total - 1)
    peer.receive(b"")
    assert peer.results == []
    assert [left.position for left in peer.unsent] == [0]


def test_after_stop_only_messages_that_the_relay_may_have_are_finished() -> None:
    peer = ready("PIPELINING")
    peer.start(message(0))
    hear(peer, "250 ok", "250 ok", "354 go on")
    peer.start(message(1))
    said(peer)
    peer.stop()
    assert not peer.closed
    assert hear(peer, "250 2.0.0 taken", "250 ok", "250 ok", "354 go on") == []
    assert peer.results == [SendResult(0, Result.SENT, 250, "2.0.0")]
    assert [left.position for left in peer.unsent] == [1]


def test_after_a_pause_no_message_starts_until_the_relay_replies() -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.check_alive()
    assert said(peer) == ["RSET"]
    assert not has_room(peer)
    hear(peer, "250 ok")
    assert has_room(peer)


@pytest.mark.parametrize("before", ["250-evil.example", "250 evil", "22"])
def test_replies_injected_before_tls_end_the_connection(before: str) -> None:
    peer = engine(tls="demand")
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250 STARTTLS")
    peer.receive(f"220 go ahead\r\n{before}\r\n".encode()[: -2 if before == "22" else None])
    assert peer.closed == "invalid reply"


def test_extensions_offered_before_tls_do_not_count() -> None:
    peer = engine(tls="demand", user="desk", password="p@ss")
    hear(peer, "220 hi")
    hear(peer, "250-relay", "250-STARTTLS", "250 AUTH PLAIN")
    hear(peer, "220 go")
    peer.tls_established()
    hear(peer, "250 relay")
    assert peer.down is not None
    assert "no supported authentication mechanism" in peer.down.reason


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
def test_an_invalid_reply_ends_the_connection(nonsense: bytes) -> None:
    peer = ready("PIPELINING", "CHUNKING")
    peer.start(message(0))
    said(peer)
    peer.receive(b"250 ok\r\n" + nonsense)
    assert peer.closed == "invalid reply"
    assert [send_result.result for send_result in peer.results] == [Result.UNKNOWN]


def test_an_unsolicited_reply_ends_the_connection() -> None:
    peer = ready("PIPELINING")
    peer.receive(b"250 and another thing\r\n")
    assert peer.closed == "invalid reply"


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
def test_results_do_not_depend_on_how_replies_are_split(width: int) -> None:
    peer = ready("PIPELINING")
    waiting = [message(2), message(1), message(0)]
    for part in DIALOGUE:
        while waiting and has_room(peer):
            peer.start(waiting.pop())
        said(peer)
        for at in range(0, len(part), width):
            peer.receive(part[at : at + width])
    assert peer.results == [
        SendResult(0, Result.SENT, 250, "2.0.0"),
        SendResult(1, Result.REFUSED, 550, "5.1.1", fault=Fault.READER),
    ]
    assert [left.position for left in peer.unsent] == [2]
    assert peer.closed == "final: 421 4.3.2"

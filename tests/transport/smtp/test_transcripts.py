"""Transcripts of Postfix, Exim, Exchange and a Gmail-like relay. The results must not depend on how
the replies are split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.transport.outcomes import Fault, Result, SendResult
from newsletter.transport.smtp.engine import Engine
from newsletter.transport.smtp.message import Message
from newsletter.transport.smtp.url import Relay

Cut = Callable[[bytes], Iterable[bytes]]


@dataclass(frozen=True)
class Transcript:
    """What a relay says, each part once the engine has written all that the relay waits for.

    `results` and `unsent` are those of four messages, `closed` is why the connection ended.
    """

    relay: dict[str, Any]
    said: tuple[str, ...]
    results: list[SendResult]
    unsent: list[int]
    closed: str


def refused(position: int, status: str) -> SendResult:
    return SendResult(position, Result.REFUSED, 550, status, fault=Fault.READER)


POSTFIX_EHLO = """250-mail.example.org
250-PIPELINING
250-SIZE 10240000
250-VRFY
250-ETRN
250-AUTH PLAIN LOGIN
250-ENHANCEDSTATUSCODES
250-8BITMIME
250-DSN
250 SMTPUTF8"""

TRANSCRIPTS = {
    "postfix": Transcript(
        {"tls": "never", "user": "desk", "password": "p@ss"},
        (
            "220 mail.example.org ESMTP Postfix (Debian/GNU)",
            POSTFIX_EHLO,
            "235 2.7.0 Authentication successful",
            "250 2.1.0 Ok\n250 2.1.5 Ok\n354 End data with <CR><LF>.<CR><LF>",
            "250 2.0.0 Ok: queued as 4FqT2k1x",
            # Refused, and 354 all the same: only the end of a message without recipients follows.
            """250 2.1.0 Ok
550-5.1.1 <reader1@mail.example>: Recipient address rejected:
550 5.1.1 User unknown in local recipient table
354 End data with <CR><LF>.<CR><LF>""",
            "554 5.5.1 Error: no valid recipients",
            "250 2.1.0 Ok\n250 2.1.5 Ok\n354 End data with <CR><LF>.<CR><LF>",
            "421 4.3.2 mail.example.org Service shutting down",
        ),
        [SendResult(0, Result.SENT, 250, "2.0.0"), refused(1, "5.1.1")],
        [2, 3],
        "final: 421 4.3.2",
    ),
    "exim": Transcript(
        {"tls": "never"},
        (
            """220-mail.example.org ESMTP Exim 4.96 Mon, 31 Jul 2017 09:00:00 +0000
220-We do not authorize the use of this system to transport unsolicited,
220 and/or bulk e-mail.""",
            """250-mail.example.org Hello me [10.0.0.1]
250-SIZE 52428800
250-8BITMIME
250-PIPELINING
250-PIPECONNECT
250 HELP""",
            '250 OK\n250 Accepted\n354 Enter message, ending with "." on a line by itself',
            "250 OK id=1dc4zX-0004fG-3B",
            """250 OK
550-Callout verification failed:
550 550 5.1.1 <reader1@mail.example> unknown
503-All RCPT commands were rejected with this error:
503-550 5.1.1 <reader1@mail.example> unknown
503 Valid RCPT command must precede DATA""",
            "250 Reset OK\n250 OK\n250 Accepted\n354 Enter message",
            "250 OK id=1dc4zY-0004fG-4C",
            "421 mail.example.org: SMTP command timeout - closing connection",
        ),
        [
            SendResult(0, Result.SENT, 250, ""),
            refused(1, ""),
            SendResult(2, Result.SENT, 250, ""),
        ],
        [3],
        "mail: 421",
    ),
    "exchange": Transcript(
        {"tls": "implicit", "user": "desk", "password": "p@ss"},
        (
            "220 EX01.corp.example Microsoft ESMTP MAIL Service ready at Mon, 31 Jul 2017",
            """250-EX01.corp.example Hello [10.0.0.1]
250-SIZE 37748736
250-pipelining
250-DSN
250-ENHANCEDSTATUSCODES
250-AUTH=LOGIN
250-8bitmime
250-BINARYMIME
250 chunking""",
            "334 VXNlcm5hbWU6",
            "334 UGFzc3dvcmQ6",
            "235 2.7.0 Authentication successful",
            """250 2.1.0 Sender OK
250 2.1.5 Recipient OK
250 2.6.0 <a@news.example> [InternalId=1, Hostname=EX01] Queued mail for delivery""",
            # Two at once now: MAIL, RCPT, BDAT, each time; RSET between them from the third on.
            """250 2.1.0 Sender OK
550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
503 5.5.2 Need rcpt command
250 2.0.0 Resetting
250 2.1.0 Sender OK
250 2.1.5 Recipient OK
452 4.3.1 Insufficient system resources (UsedDiskSpace)""",
            "250 2.0.0 Resetting\n421 4.3.2 Service not active",
        ),
        [
            SendResult(0, Result.SENT, 250, "2.6.0"),
            SendResult(1, Result.FAILED, 550, "5.7.54", fault=Fault.SENDER),
            SendResult(2, Result.DEFERRED, 452, "4.3.1", fault=Fault.RELAY),
        ],
        [3],
        "mail: 421 4.3.2",
    ),
    "gmail": Transcript(
        {"tls": "demand"},
        (
            "220 mx.google.example ESMTP d14si1234567edt.123 - gsmtp",
            """250-mx.google.example at your service, [10.0.0.1]
250-SIZE 157286400
250-8BITMIME
250-STARTTLS
250-ENHANCEDSTATUSCODES
250-PIPELINING
250-CHUNKING
250 SMTPUTF8""",
            "220 2.0.0 Ready to start TLS",
            """250-mx.google.example at your service, [10.0.0.1]
250-SIZE 157286400
250-8BITMIME
250-ENHANCEDSTATUSCODES
250-PIPELINING
250-CHUNKING
250 SMTPUTF8""",
            """250 2.1.0 OK d14si1234567edt.123 - gsmtp
250 2.1.5 OK d14si1234567edt.123 - gsmtp
250 2.0.0 OK  1501491600 d14si1234567edt.123 - gsmtp""",
            """250 2.1.0 OK d14si1234567edt.123 - gsmtp
550-5.1.1 The email account that you tried to reach does not exist. Please try
550-5.1.1 double-checking the recipient's email address for typos or
550 5.1.1 unnecessary spaces. d14si1234567edt.123 - gsmtp
503 5.5.1 RCPT first. d14si1234567edt.123 - gsmtp
250 2.1.5 Flushed d14si1234567edt.123 - gsmtp
250 2.1.0 OK d14si1234567edt.123 - gsmtp
421-4.7.28 [10.0.0.1] Our system has detected an unusual rate of
421-4.7.28 unsolicited mail originating from your IP address. Please visit
421 4.7.28 the bulk senders' page. d14si1234567edt.123 - gsmtp""",
        ),
        [SendResult(0, Result.SENT, 250, "2.0.0"), refused(1, "5.1.1")],
        [2, 3],
        "rcpt: 421 4.7.28",
    ),
}
NAMES = list(TRANSCRIPTS)


def message(position: int) -> Message:
    rcpt = f"reader{position}@mail.example".encode()
    return Message(position, b"desk@news.example", rcpt, [b"To: %b\r\n\r\n" % rcpt, b"Hello\r\n"])


def play(transcript: Transcript, cut: Cut) -> tuple[Engine, list[bytes]]:
    """Return the engine after the transcript, and what it wrote before each part."""
    peer = Engine(Relay(host="relay.example", port=25, helo="me", **transcript.relay))
    waiting = [message(position) for position in range(4)][::-1]
    wrote = []
    for text in transcript.said:
        if peer.wants_tls:
            peer.tls_established()
        while waiting and peer.has_room:
            peer.start(waiting.pop())
        wrote.append(b"".join(map(bytes, peer.output.chunks)))
        peer.output.mark_written(len(wrote[-1]))
        for piece in cut(text.replace("\n", "\r\n").encode() + b"\r\n"):
            peer.receive(piece)
    peer.receive(b"")
    peer.unsent += waiting
    return peer, wrote


def unsplit(said: bytes) -> Iterable[bytes]:
    return [said]


def assert_matches(transcript: Transcript, peer: Engine) -> None:
    assert peer.results == transcript.results
    assert sorted(left.position for left in peer.unsent) == transcript.unsent
    assert peer.closed == transcript.closed


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_gives_each_recipient_one_result(name: str) -> None:
    transcript = TRANSCRIPTS[name]
    peer, _ = play(transcript, unsplit)
    assert_matches(transcript, peer)


@pytest.mark.parametrize("name", NAMES)
def test_results_are_the_same_byte_by_byte(name: str) -> None:
    transcript = TRANSCRIPTS[name]
    peer, wrote = play(transcript, lambda said: [said[at : at + 1] for at in range(len(said))])
    assert_matches(transcript, peer)
    assert wrote == play(transcript, unsplit)[1], "and the same is written"


@pytest.mark.parametrize("name", NAMES)
def test_results_are_the_same_if_split_at_any_byte(name: str) -> None:
    transcript = TRANSCRIPTS[name]
    for at in range(1, max(map(len, transcript.said)) + 10):
        peer, _ = play(transcript, lambda said, at=at: filter(None, [said[:at], said[at:]]))  # type: ignore[misc]
        assert_matches(transcript, peer)


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(NAMES), widths=st.lists(st.integers(1, 90), min_size=1, max_size=40))
def test_results_are_the_same_if_split_at_random(name: str, widths: list[int]) -> None:
    def cut(said: bytes) -> Iterable[bytes]:
        at = turn = 0
        while at < len(said):
            width = widths[turn % len(widths)]
            yield said[at : at + width]
            at, turn = at + width, turn + 1

    peer, _ = play(TRANSCRIPTS[name], cut)
    assert_matches(TRANSCRIPTS[name], peer)

"""What a relay says when it doesn't want a connection."""

from __future__ import annotations

import pytest

from newsletter.transport.outcomes import Fault
from newsletter.transport.smtp.refusals import (
    closing_reply,
    handshake_refusal,
    names_connection_limit,
    retry_seconds,
)
from newsletter.transport.smtp.url import Relay


@pytest.mark.parametrize(
    "text",
    [
        b"4.7.0 mail.example.org Error: too many connections from 192.0.2.1",  # Postfix
        b"Too many concurrent SMTP connections; please try again later.",  # Exim
        b"Too many concurrent SMTP connections from this IP address; please try again later.",
        b"4.3.2 The maximum number of concurrent server connections has exceeded a limit,"
        b" closing transmission channel",  # Exchange
        b"4.3.2 Connection rate limit exceeded.",  # sendmail
        b"4.3.2 Too many open connections.",
        b"4.7.1 mail.example.org Error: too many new TLS sessions from 192.0.2.1",
        b"4.7.0 Connection limit reached, closing connection",
        b"too many\nsessions open: max 5 sessions",
    ],
)
def test_limits_of_connections_are_recognised(text: bytes) -> None:
    assert names_connection_limit(text)


@pytest.mark.parametrize(
    "text",
    [
        b"4.7.0 too many messages on this connection",
        b"4.7.0 mail.example.org Error: too many errors",
        b"4.7.0 Too many bad commands; closing connection",
        b"4.4.2 mail.example.org Error: timeout exceeded",
        b"4.4.2 Idle time limit exceeded, closing connection",
        b"4.5.3 Too many recipients received this session",
        b"4.3.2 Service shutting down, closing connection",
        b"4.7.0 Try again later, closing connection. (EHLO)",
        b"",
    ],
)
def test_other_limits_are_not_taken_for_it(text: bytes) -> None:
    assert not names_connection_limit(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"4.7.0 too many connections, try again in 300 seconds", 300),
        (b"4.7.0 Please retry after 5 minutes", 300),
        (b"Try again in 2h", 7200),
        (b"come back in 1 min.", 60),
        (b"try again in 400 hours", 86_400),
        (b"try again later (host 192.0.2.1)", None),
        (b"waited 30 seconds", None),
        (b"4.7.0 busy", None),
    ],
)
def test_the_relay_says_how_long_to_wait(text: bytes, seconds: int | None) -> None:
    assert retry_seconds(text) == seconds


@pytest.mark.parametrize(
    ("code", "text", "fault"),
    [
        (421, b"4.3.2 Service shutting down", Fault.RELAY),
        (421, b"4.7.0 too fast", Fault.SPEED),
        (421, b"Too many concurrent SMTP connections", Fault.SPEED),
        (554, b"5.7.1 192.0.2.1 is blocked", Fault.SENDER),
        (554, b"5.3.2 go away", Fault.RELAY),
    ],
)
def test_d7_d9_a_refused_handshake_says_whose_fault_it_is(
    code: int, text: bytes, fault: Fault
) -> None:
    relay = Relay("relay.example", 25, "never")
    assert handshake_refusal(relay, "greeting", code, text).fault is fault
    if code == 421:
        assert closing_reply(code, text).fault is fault

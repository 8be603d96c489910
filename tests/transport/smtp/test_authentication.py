"""AUTH with a password: which mechanism is tried, and what a refusal says."""

from __future__ import annotations

import pytest

from newsletter.transport.outcomes import Fault
from newsletter.transport.smtp.authentication import Authenticator
from newsletter.transport.smtp.engine import Engine
from newsletter.transport.smtp.oauth import OAuthClient
from newsletter.transport.smtp.url import Relay
from tests.transport.smtp.engine_driver import engine, hear

PLAIN = "AUTH PLAIN AGRlc2sAcEBzcw=="
USER, PASSWORD = "ZGVzaw==", "cEBzcw=="


def connected(offers: str, **options: object) -> tuple[Engine, list[str]]:
    """Return an engine after EHLO, and what it said then."""
    peer = engine(**{"user": "desk", "password": "p@ss", **options})
    hear(peer, "220 relay.example ESMTP")
    return peer, hear(peer, "250-relay.example", f"250 {offers}")


@pytest.mark.parametrize(
    "refusal",
    [
        "504 5.5.4 Unrecognized authentication type",
        "504 no",
        "534 5.7.9 Authentication mechanism is too weak",
        "535 5.7.8 Error: authentication failed: no mechanism available",
        "535 Authentication type not supported",
    ],
)
def test_login_is_tried_where_the_mechanism_plain_is_refused(refusal: str) -> None:
    peer, said = connected("AUTH PLAIN LOGIN")
    assert said == [PLAIN]
    assert hear(peer, refusal) == ["AUTH LOGIN"]
    assert hear(peer, "334 VXNlcm5hbWU6") == [USER]
    assert hear(peer, "334 UGFzc3dvcmQ6") == [PASSWORD]
    hear(peer, "235 2.7.0 ok")
    assert peer.is_ready


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ("535 5.7.8 Error: authentication failed", "5.7.8"),
        ("535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 Learn more", "5.7.8"),
        ("535 authorization failed", "5.7.8"),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled",
            "5.7.139",
        ),
        ("534 5.7.9 Application-specific password required", "5.7.9"),
        ("534-5.7.14 Please log in via your web browser\r\n534 5.7.14 and try again", "5.7.14"),
    ],
)
def test_d7_wrong_credentials_are_tried_only_once_and_are_the_senders_fault(
    refusal: str, status: str
) -> None:
    peer, _ = connected("AUTH PLAIN LOGIN")
    assert hear(peer, refusal) == []
    assert peer.down is not None
    assert (peer.down.fault, peer.down.status) == (Fault.SENDER, status)
    assert "credentials refused" in peer.down.reason
    assert "p@ss" not in repr(peer.down)


def test_login_is_not_tried_unless_it_is_offered() -> None:
    peer, said = connected("AUTH PLAIN")
    assert said == [PLAIN]
    assert hear(peer, "504 5.5.4 no") == []
    assert peer.down is not None
    assert peer.down.fault is Fault.SENDER


def test_a_refused_mechanism_is_not_tried_again_on_other_connections() -> None:
    relay = Relay("relay.example", 25, "never", "desk", "p@ss", helo="me")
    authenticator = Authenticator(relay)
    said = []
    for _ in range(2):
        peer = Engine(relay, authenticator)
        hear(peer, "220 relay.example")
        said += hear(peer, "250-relay.example", "250 AUTH PLAIN LOGIN")
        if said[-1] == PLAIN:
            said += hear(peer, "504 5.5.4 no")
    assert said == [PLAIN, "AUTH LOGIN", "AUTH LOGIN"]


def test_a_relay_that_ignores_the_initial_response_gets_it_again() -> None:
    peer, _ = connected("AUTH PLAIN LOGIN")
    assert hear(peer, "334 ") == [PLAIN.removeprefix("AUTH PLAIN ")]
    hear(peer, "235 ok")
    assert peer.is_ready


@pytest.mark.parametrize(
    ("refusal", "fault", "wait"),
    [
        ("454 4.7.0 Temporary authentication failure", Fault.RELAY, None),
        ("454 4.7.0 Too many sessions, try again in 5 minutes", Fault.SPEED, 300),
        ("421 4.3.2 shutting down", Fault.RELAY, None),
    ],
)
def test_a_temporary_refusal_is_not_the_senders_fault(
    refusal: str, fault: Fault, wait: int | None
) -> None:
    peer, _ = connected("AUTH PLAIN LOGIN")
    hear(peer, refusal)
    assert peer.down is not None
    assert (peer.down.fault, peer.down.retry_after) == (fault, wait)


@pytest.mark.parametrize("oauth", [False, True])
def test_a_relay_without_a_known_mechanism_is_reported(oauth: bool) -> None:  # noqa: FBT001
    client = OAuthClient("https://token.example", "desk") if oauth else None
    peer, _ = connected("AUTH CRAM-MD5", oauth=client)
    assert peer.down is not None
    assert "no supported authentication mechanism" in peer.down.reason
    assert ("XOAUTH2" in peer.down.reason) is oauth

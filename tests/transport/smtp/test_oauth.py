"""XOAUTH2 with a relay and a token endpoint on loopback."""

from __future__ import annotations

import json
import traceback
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from newsletter.transport.base import TransportURLError
from newsletter.transport.outcomes import Fault, Result, TransportDownError
from newsletter.transport.smtp.oauth import MARGIN_SECONDS, OAuthClient, TokenSource
from newsletter.transport.smtp.transport import SmtpTransport
from newsletter.transport.smtp.url import parse_relay
from newsletter.transport.url import parse
from tests.transport.cast import make_email, readers
from tests.transport.provider import Answer, Provider, Request
from tests.transport.relay import Relay

pytestmark = pytest.mark.server


class TokenEndpoint(Provider):
    """Hands out token-1, token-2 …, each for `lifetime` seconds."""

    lifetime = 3600

    def answer(self, request: Request) -> Answer:
        token = {"access_token": f"token-{len(self.requests)}", "expires_in": self.lifetime}
        return Answer(200, json.dumps(token))


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    server = TokenEndpoint()
    yield server
    server.close()


@pytest.fixture
def mailbox() -> Iterator[Relay]:
    """A relay such as Office 365's."""
    server = Relay(offers="AUTH LOGIN XOAUTH2")
    yield server
    server.close()


def build(
    mailbox: Relay,
    endpoint_url: str,
    options: str = "",
    password: str = "s3cret",  # noqa: S107
) -> SmtpTransport:
    url = (
        f"smtp://desk%40news.example:{password}@127.0.0.1:{mailbox.port}?auth=xoauth2&timeout=2"
        f"&connections=2&client_id=desk-app&token_url={quote(endpoint_url, safe='')}{options}"
    )
    return SmtpTransport(parse_relay(parse(url)))


def send(transport: SmtpTransport, count: int = 1) -> TransportDownError | None:
    """Send to so many readers; return the error if the transport is down."""
    try:
        send_results = list(transport.send(transport.compile(make_email()), readers(count)))
    except TransportDownError as down:
        return down
    finally:
        transport.close()
    assert [each.result for each in send_results] == [Result.SENT] * count
    return None


def tokens(mailbox: Relay) -> list[str]:
    """Return what the relay got with AUTH."""
    prefix = "AUTH XOAUTH2 "
    return [
        b64decode(command.removeprefix(prefix)).decode()
        for command in mailbox.commands
        if command.startswith(prefix)
    ]


def test_a_token_is_fetched_with_the_clients_secret_and_used_until_it_expires(
    mailbox: Relay, endpoint: TokenEndpoint
) -> None:
    transport = build(
        mailbox, f"{endpoint.url}/token", "&scope=https%3A%2F%2Fmail.example%2F.default"
    )
    for _ in range(2):
        assert send(transport, 5) is None
    [request] = endpoint.requests
    assert request.path == "/token"
    assert request.form == {
        "grant_type": ["client_credentials"],
        "client_id": ["desk-app"],
        "client_secret": ["s3cret"],
        "scope": ["https://mail.example/.default"],
    }
    assert set(tokens(mailbox)) == {"user=desk@news.example\x01auth=Bearer token-1\x01\x01"}


def test_a_refresh_token_and_a_secret_can_come_from_files(
    mailbox: Relay, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    (tmp_path / "refresh").write_text("r3fresh\n")
    (tmp_path / "secret").write_text("s3cret\n")
    files = "".join(
        f"&{option}={quote(str(tmp_path / name), safe='')}"
        for option, name in [("refresh_token_file", "refresh"), ("client_secret_file", "secret")]
    )
    assert send(build(mailbox, endpoint.url, f"&grant=refresh_token{files}", password="")) is None
    assert endpoint.requests[0].form == {
        "grant_type": ["refresh_token"],
        "client_id": ["desk-app"],
        "client_secret": ["s3cret"],
        "refresh_token": ["r3fresh"],
    }


def test_a_token_is_fetched_again_shortly_before_it_expires(endpoint: TokenEndpoint) -> None:
    now = 1000.0
    source = TokenSource(OAuthClient(endpoint.url, "desk-app"), "relay", clock=lambda: now)
    assert source.token() == "token-1"
    now += endpoint.lifetime - MARGIN_SECONDS - 1
    assert source.token() == "token-1"
    now += 2
    assert source.token() == "token-2"


def test_connections_that_were_rejected_together_fetch_one_token(endpoint: TokenEndpoint) -> None:
    source = TokenSource(OAuthClient(endpoint.url, "desk-app"), "relay")
    rejected = source.token()
    assert [source.renew(rejected) for _ in range(3)] == ["token-2"] * 3


@pytest.mark.parametrize("challenge", [["334 eyJzdGF0dXMiOiI0MDEifQ=="], []], ids=["334", "535"])
def test_a_rejected_token_is_fetched_again_once(
    mailbox: Relay, endpoint: TokenEndpoint, challenge: list[str]
) -> None:
    refusal = "535 5.7.3 Authentication unsuccessful"
    mailbox.answer("AUTH", *(challenge or [refusal]))
    if challenge:
        mailbox.answer("", refusal)
    assert send(build(mailbox, endpoint.url)) is None
    assert [token.count("token-2") for token in tokens(mailbox)] == [0, 1]
    assert mailbox.commands.count("") == len(challenge)


def test_two_rejected_tokens_are_the_senders_fault(mailbox: Relay, endpoint: TokenEndpoint) -> None:
    mailbox.answer("AUTH", *["535 5.7.3 Authentication unsuccessful"] * 2)
    down = send(build(mailbox, endpoint.url))
    assert down is not None
    assert (down.fault, down.code, down.status) == (Fault.SENDER, 535, "5.7.3")
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("error", ["invalid_client", "invalid_grant", "unauthorized_client"])
def test_d7_a_refused_client_is_the_senders_fault(
    mailbox: Relay, endpoint: TokenEndpoint, error: str
) -> None:
    said = {"error": error, "error_description": "s3cret of desk@news.example is wrong"}
    endpoint.scripted.append(Answer(401, json.dumps(said)))
    down = send(build(mailbox, endpoint.url))
    assert down is not None
    assert (down.fault, down.status) == (Fault.SENDER, "5.7.8")
    assert down.reason == f"smtp://127.0.0.1:{mailbox.port}: no access token: {error}"
    shown = "".join(traceback.format_exception(down))
    assert "s3cret" not in shown
    assert "desk@news" not in shown
    assert not tokens(mailbox)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, "busy"),
        Answer(400, json.dumps({"error": "s3cret"})),
        Answer(200, "[]"),
        Answer(200, json.dumps({"access_token": "two\r\nlines"})),
        Answer(302, headers=(("Location", "https://elsewhere.example/"),)),
        Answer(hang_up=True),
    ],
)
def test_an_endpoint_without_a_usable_answer_is_an_outage(
    mailbox: Relay, endpoint: TokenEndpoint, answer: Answer
) -> None:
    endpoint.scripted.append(answer)
    transport = build(mailbox, endpoint.url)
    down = send(transport)
    assert down is not None
    assert down.fault is Fault.RELAY
    assert "s3cret" not in "".join(traceback.format_exception(down))
    assert send(transport) is None, "the next call tries again"


def test_an_unreachable_endpoint_is_an_outage(mailbox: Relay) -> None:
    down = send(build(mailbox, "http://127.0.0.1:18298/token"))
    assert down is not None
    assert down.fault is Fault.RELAY
    assert "the token endpoint is unreachable" in down.reason


def test_the_endpoint_says_when_to_try_again(mailbox: Relay, endpoint: TokenEndpoint) -> None:
    endpoint.scripted.append(Answer(429, headers=(("Retry-After", "40"),)))
    down = send(build(mailbox, endpoint.url))
    assert down is not None
    assert down.retry_after == 40


def test_an_unreadable_file_is_the_senders_fault(mailbox: Relay, endpoint: TokenEndpoint) -> None:
    down = send(build(mailbox, endpoint.url, "&client_secret_file=%2Fnowhere", password=""))
    assert down is not None
    assert down.fault is Fault.SENDER


@pytest.mark.parametrize(
    ("user", "options", "says"),
    [
        ("desk:s3cret", "auth=xoauth2&client_id=a&token_url=http%3A%2F%2Ft.example", "https URL"),
        ("desk:s3cret", "auth=xoauth2&client_id=a", "https URL"),
        ("desk:s3cret", "auth=xoauth2&token_url=https%3A%2F%2Ft.example", "needs client_id"),
        ("desk", "auth=xoauth2&client_id=a&token_url=https%3A%2F%2Ft.example", "secret"),
        (
            "desk:s3cret",
            "auth=xoauth2&client_id=a&client_secret_file=x&token_url=https%3A%2F%2Ft.example",
            "secret either as the password or in client_secret_file",
        ),
        (":s3cret", "auth=xoauth2&client_id=a&token_url=https%3A%2F%2Ft.example", "give a user"),
        (
            "desk:s3cret",
            "auth=xoauth2&client_id=a&token_url=https%3A%2F%2Ft.example&grant=refresh_token",
            "refresh_token_file",
        ),
        (
            "desk:s3cret",
            "auth=xoauth2&client_id=a&token_url=https%3A%2F%2Ft.example&refresh_token=r",
            "refresh_token_file",
        ),
        ("desk:s3cret", "auth=oauthbearer", "password or xoauth2"),
        ("desk:s3cret", "auth=xoauth2&grant=password", "client_credentials or refresh_token"),
        ("desk:s3cret", "client_id=a", "need auth=xoauth2"),
    ],
)
def test_each_mistake_in_a_url_is_explained_without_its_secrets(
    user: str, options: str, says: str
) -> None:
    with pytest.raises(TransportURLError) as caught:
        parse_relay(parse(f"smtp://{user}@mail.example?{options}"))
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_relay_s_repr_shows_no_secret() -> None:
    options = "auth=xoauth2&client_id=a&grant=refresh_token&refresh_token=r3fresh"
    url = f"smtp://desk:s3cret@mail.example?{options}&token_url=https%3A%2F%2Ft.example"
    relay = repr(parse_relay(parse(url)))
    assert "s3cret" not in relay
    assert "r3fresh" not in relay

"""Each error in the table, from a provider on loopback: results, errors and logs (D7, G1, G2)."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import Fault, Result
from tests.transport.cast import reader, readers
from tests.transport.esp.test_transport import results, send
from tests.transport.provider import Answer, Provider, Request
from tests.transport.provider_answers import SECRET, URLS, accept
from tests.transport.provider_errors import PROVIDER_ERRORS, ProviderError

pytestmark = [
    pytest.mark.server,
    # The warning is for operators; the backend still exists and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]


class AnyProvider(Provider):
    """Accepts everything as the provider does, except what is scripted."""

    profile = ""

    def answer(self, request: Request) -> Answer:
        return accept(self.profile, request)


@pytest.fixture
def provider() -> Iterator[AnyProvider]:
    server = AnyProvider()
    yield server
    server.close()


def connect(provider: AnyProvider, profile: str) -> AnyTransport:
    provider.profile = profile
    return registry.from_url(f"{URLS[profile]}&api_url={provider.url}&timeout=5")


@pytest.mark.parametrize("profile", URLS)
def test_every_provider_accepts_a_message(provider: AnyProvider, profile: str) -> None:
    send_results, down = send(connect(provider, profile), readers(2))
    assert down is None
    assert results(send_results) == {0: Result.SENT, 1: Result.SENT}
    assert all(each.message_id for each in send_results)
    assert {each.fault for each in send_results} == {Fault.NONE}


def said(error: ProviderError) -> Answer:
    body = error.body if isinstance(error.body, str) else json.dumps(error.body)
    headers = error.headers
    if not isinstance(error.body, str) and "Content-Type" not in dict(headers):
        headers = (*headers, ("Content-Type", "application/json"))
    return Answer(error.http, body.replace("{to}", "reader0@mail.example"), headers)


@pytest.mark.parametrize(
    "error", PROVIDER_ERRORS, ids=lambda e: f"{e.profile} {e.http} {e.body}"[:60]
)
def test_d7_what_becomes_of_a_reader_whose_call_is_refused(
    provider: AnyProvider, error: ProviderError, caplog: pytest.LogCaptureFixture
) -> None:
    transport = connect(provider, error.profile)
    provider.scripted.append(said(error))
    with caplog.at_level(logging.INFO):
        first, down = send(transport, [reader(0)])
    # A call that came too fast is made again in the same run (D9), unless the wait is too long.
    waited_out = error.fault is Fault.SPEED and down is None
    if waited_out:
        assert results(first) == {0: Result.SENT}
    elif error.result is None:
        assert first == []
        assert down is not None
        assert (down.fault, down.status) == (error.fault, error.status)
    else:
        assert down is None
        assert (first[0].result, first[0].fault) == (error.result, error.fault)
        assert first[0].status == error.status
    assert len(provider.requests) == (2 if waited_out else 1)
    second, _ = send(transport, [reader(1)])
    assert results(second) == {1: Result.SENT}
    written = repr(first) + caplog.text
    if down is not None:
        written += "".join(traceback.format_exception(down)) + repr(vars(down))
    for secret in ("mail.example", "news.example.org>", "Mail cannot", SECRET):
        assert secret not in written


@pytest.mark.parametrize("profile", URLS)
def test_d8_a_provider_that_refuses_everybody_without_a_reason_blames_nobody(
    provider: AnyProvider, profile: str
) -> None:
    provider.scripted.extend([Answer(400, "{}")] * 60)
    send_results, down = send(connect(provider, profile), readers(60))
    assert down is not None
    assert down.fault is Fault.MESSAGE
    assert len(provider.requests) <= 25
    assert {each.fault for each in send_results} <= {Fault.MESSAGE}
    assert {each.result for each in send_results} <= {Result.FAILED}


@pytest.mark.parametrize("profile", ["postmark", "amazon_ses", "mailgun"])
def test_d7_a_daily_quota_of_20_stops_at_the_21st(provider: AnyProvider, profile: str) -> None:
    """A list of 60: 20 or none are sent, and the account is to blame."""
    errors = {
        "postmark": Answer(422, json.dumps({"ErrorCode": 405, "Message": "Not allowed to send"})),
        "amazon_ses": Answer(
            429,
            json.dumps({"message": "Daily message quota exceeded."}),
            (("x-amzn-ErrorType", "TooManyRequestsException"),),
        ),
        "mailgun": Answer(420, json.dumps({"message": "recipient limit exceeded"})),
    }
    transport = connect(provider, profile)
    if profile != "mailgun":  # which counts the recipients of the call
        for _ in range(20):
            provider.scripted.append(
                Answer(200, '{"MessageId": "1"}')
                if profile == "amazon_ses"
                else Answer(200, '{"ErrorCode": 0, "Message": "OK", "MessageID": "1"}')
            )
    provider.scripted.extend([errors[profile]] * 40)
    send_results, down = send(transport, readers(60))
    assert down is not None
    assert (down.fault, down.status) == (Fault.SENDER, "5.4.5")
    assert len(send_results) == (0 if profile == "mailgun" else 20)
    assert not {each.fault for each in send_results} - {Fault.NONE}
    assert len(provider.requests) == (1 if profile == "mailgun" else 21)


def test_mailguns_message_says_when_to_try_again(provider: AnyProvider) -> None:
    transport = connect(provider, "mailgun")
    told = "recipient limit exceeded, try again after Fri, 01 Jan 2100 00:00:00 UTC"
    provider.scripted.append(Answer(420, json.dumps({"message": told})))
    _, down = send(transport, [reader(0)])
    assert down is not None
    assert down.retry_after == 86_400


def test_e6_boto3_does_not_call_again_when_an_answer_is_lost(provider: AnyProvider) -> None:
    transport = connect(provider, "amazon_ses")
    provider.scripted.extend([Answer(hang_up=True), Answer(500, "{}")])
    send_results, down = send(transport, [reader(0)])
    assert results(send_results) == {0: Result.UNKNOWN}
    assert down is not None
    assert len(provider.requests) == 1
    send_results, down = send(transport, [reader(0)])
    assert send_results == []
    assert len(provider.requests) == 2


def test_amazon_without_a_region_or_credentials_is_the_operators_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    _, down = send(registry.from_url("anymail+amazon_ses://"), [reader(0)])
    assert down is not None
    assert down.fault is Fault.RELAY
    url = "anymail+amazon_ses://?region=eu-west-1&api_url=http://127.0.0.1:18298"
    _, down = send(registry.from_url(url), [reader(0)])
    assert down is not None
    assert (down.fault, down.status) == (Fault.SENDER, "5.7.8")
    url += "&access_key_id=a&secret_access_key=s"
    send_results, down = send(registry.from_url(url), [reader(0)])
    assert send_results == []
    assert str(down) == "anymail+amazon_ses://: connection failed"

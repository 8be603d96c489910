"""How many calls a list takes, and what one reader sees of the others (C1, C5, E6)."""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import Fault, Result
from tests.transport.cast import readers
from tests.transport.esp.test_transport import send
from tests.transport.provider import Answer, Request
from tests.transport.provider_answers import ADDRESSES, URLS, accept

pytestmark = [
    pytest.mark.server,
    # The warning is for operators; the backend still exists and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]
BATCHES = {"mailgun": 1000, "sendgrid": 1000, "mailjet": 50, "postmark bulk": 500}


class Adapter(BaseAdapter):
    """The provider without a network: it accepts each request, and keeps who was shown together."""

    def __init__(self, profile: str) -> None:
        super().__init__()
        self.profile = profile
        self.shown: list[list[list[str]]] = []
        """For each call, the addresses that each of its messages shows."""
        self.octets: list[int] = []
        self.bad = ""
        """An address because of which a whole call is refused."""
        self.scripted: deque[Answer] = deque()

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        body = request.body or b""
        assert isinstance(body, str | bytes)
        octets = body if isinstance(body, bytes) else body.encode()
        got = Request(str(request.url), headers, octets)
        self.octets.append(len(got.body))
        self.shown.append(ADDRESSES[self.profile](got))
        answer = self.scripted.popleft() if self.scripted else accept(self.profile, got)
        if [self.bad] in self.shown[-1]:
            answer = Answer(400, "{}", (("Content-Type", "application/json"),))
        response = requests.Response()
        response.status_code = answer.status
        response._content = answer.body.encode()
        response.headers.update(dict(answer.headers))
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""


def connect(profile: str) -> tuple[AnyTransport, Adapter]:
    transport: Any = registry.from_url(f"{URLS[profile]}&api_url=https://api.example/")
    transport._backend.open()
    adapter = Adapter(profile)
    transport._backend.session.mount("https://", adapter)
    return transport, adapter


@pytest.mark.slow
@pytest.mark.parametrize("profile", BATCHES)
def test_c1_c5_2345_readers_make_the_right_calls_and_none_sees_another(profile: str) -> None:
    _check_calls(profile, 2345)


@pytest.mark.parametrize("profile", sorted(set(URLS) - {*BATCHES, "amazon_ses"}))
def test_c1_c5_without_batches_each_reader_gets_a_call_and_sees_no_other(profile: str) -> None:
    """test_payloads.py counts the calls for 2,345 readers on each profile."""
    _check_calls(profile, 12)


def _check_calls(profile: str, count: int) -> None:
    transport, provider = connect(profile)
    results, down = send(transport, readers(count))
    assert down is None
    assert len(results) == count
    assert {each.result for each in results} == {Result.SENT}
    most = BATCHES.get(profile, 1)
    assert [len(call) for call in provider.shown] == [
        *[most] * (count // most),
        *([count % most] if most > 1 else []),
    ]
    shown = [message for call in provider.shown for message in call]
    assert shown == [[f"reader{position}@mail.example"] for position in range(count)]


@pytest.mark.parametrize("profile", BATCHES)
def test_a_provider_that_accepts_half_gives_exact_results(profile: str) -> None:
    """Calls with one recipient are refused without a reason, until it is the only one (C10)."""
    transport, provider = connect(profile)
    provider.bad = "reader3@mail.example"
    results, down = send(transport, readers(8))
    assert down is None
    found = {each.position: (each.result, each.fault) for each in results}
    assert len(results) == 8
    assert found == dict.fromkeys(range(8), (Result.SENT, Fault.NONE)) | {
        3: (Result.FAILED, Fault.READER)
    }
    assert [len(call) for call in provider.shown] == [8, 4, 2, 2, 1, 1, 4]


def limit(transport: Any, octets: int) -> None:
    """Lower the provider's size limit, so that the test needs no email of 25 MB."""
    assert transport._profile.max_bytes >= 10_000_000
    transport._profile = dataclasses.replace(transport._profile, max_bytes=octets)


@pytest.mark.parametrize(
    "profile",
    ["mailgun", "mailtrap", "mandrill", "postmark", "postmark bulk", "sendgrid", "sparkpost"],
)
def test_an_email_too_large_for_the_provider_costs_no_call(profile: str) -> None:
    """SIZE, for providers: the message is to blame, and the result is that of SMTP (5.3.4)."""
    transport, provider = connect(profile)
    limit(transport, 100_000)
    results, down = send(transport, readers(3), text="Вялікі тэкст. " * 8000)
    assert down is None
    assert provider.shown == []
    assert [each[:4] for each in results] == [
        (position, Result.FAILED, 413, "5.3.4") for position in range(3)
    ]
    assert {each.fault for each in results} == {Fault.MESSAGE}


def test_an_email_too_large_for_amazon_costs_no_call() -> None:
    transport: Any = registry.from_url(URLS["amazon_ses"])
    limit(transport, 100_000)
    results, down = send(transport, readers(2), text="Вялікі тэкст. " * 8000)
    assert down is None
    assert {each[1:4] for each in results} == {(Result.FAILED, 413, "5.3.4")}


@pytest.mark.parametrize("profile", BATCHES)
def test_calls_stay_below_the_providers_size_limit(profile: str) -> None:
    transport, provider = connect(profile)
    octets: Any = 300_000
    if profile == "mailjet":  # which states no limit
        transport._profile = dataclasses.replace(transport._profile, max_bytes=octets)  # type: ignore[attr-defined]
    else:
        limit(transport, octets)
    results, down = send(transport, readers(90))
    assert down is None
    assert {each.result for each in results} == {Result.SENT}
    sizes = [len(call) for call in provider.shown]
    assert sum(sizes) == 90
    assert 1 < max(sizes) < 50
    assert max(provider.octets) <= octets


def test_a_call_that_is_too_large_all_the_same_is_split() -> None:
    transport, provider = connect("sendgrid")
    provider.scripted.append(Answer(413, '{"errors": [{"message": "payload too large"}]}'))
    results, down = send(transport, readers(10))
    assert down is None
    assert {each.result for each in results} == {Result.SENT}
    assert [len(call) for call in provider.shown] == [10, 5, 5]


def test_a_message_that_is_refused_as_spam_is_not_bisected() -> None:
    transport, provider = connect("mailgun")
    provider.scripted.append(Answer(400, '{"message": "message content looks like spam"}'))
    results, down = send(transport, readers(1000))
    assert results == []
    assert down is not None
    assert down.fault is Fault.MESSAGE
    assert len(provider.shown) == 1


def test_the_same_error_for_every_recipient_of_a_call_is_the_senders() -> None:
    transport, provider = connect("mailjet")
    error = '{"Status": "error", "Errors": [{"ErrorCode": "send-0008", "StatusCode": 403}]}'
    provider.scripted.append(
        Answer(403, f'{{"Messages": [{error}, {error}]}}', (("Content-Type", "application/json"),))
    )
    results, down = send(transport, readers(2))
    assert results == []
    assert down is not None
    assert (down.fault, down.status) == (Fault.SENDER, "5.1.8")


def test_one_failed_recipient_of_mailjets_call_does_not_fail_the_other() -> None:
    transport, provider = connect("mailjet")
    wrong = '{"Status": "error", "Errors": [{"ErrorCode": "x", "ErrorRelatedTo": ["To[0].Email"]}]}'
    right = '{"Status": "success", "To": [{"Email": "reader1@mail.example", "MessageID": 8}]}'
    provider.scripted.append(
        Answer(400, f'{{"Messages": [{wrong}, {right}]}}', (("Content-Type", "application/json"),))
    )
    results, down = send(transport, readers(2))
    assert down is None
    assert [(each.result, each.fault, each.message_id) for each in results] == [
        (Result.REFUSED, Fault.READER, ""),
        (Result.SENT, Fault.NONE, "8"),
    ]

"""Sending through Anymail to providers on loopback (C1–C10, E6, G1, G2)."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport, CompileError
from newsletter.transport.outcomes import Recipient, Result, SendResult, TransportDownError
from tests.transport.cast import INLINE_IMAGE, make_email, reader, readers, urls
from tests.transport.provider import Answer, Mailgun, Postmark, Provider, Scaleway, SendGrid

pytestmark = [
    pytest.mark.server,
    # The warning is for operators; the backend still exists and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]
P = TypeVar("P", bound=Provider)
SECRET = "key-s3cret"
OPTIONS = {
    Mailgun: f"anymail+mailgun://?api_key={SECRET}&sender_domain=mg.news.example.org",
    SendGrid: f"anymail+sendgrid://?api_key={SECRET}",
    Scaleway: f"anymail+scaleway://?secret_key={SECRET}&project_id=p",
    Postmark: f"anymail+postmark://?server_token={SECRET}",
}


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[Any, AnyTransport]]]:
    running: list[tuple[Provider, AnyTransport]] = []

    def begin(kind: type[P], more: str = "") -> tuple[P, AnyTransport]:
        provider = kind()
        transport = registry.from_url(f"{OPTIONS[kind]}&api_url={provider.url}&timeout=1{more}")
        running.append((provider, transport))
        return provider, transport

    yield begin
    for provider, transport in running:
        transport.close()
        provider.close()


Start = Callable[..., tuple[Any, AnyTransport]]


def send(
    transport: AnyTransport, recipients: list[Recipient], **changes: Any
) -> tuple[list[SendResult], TransportDownError | None]:
    send_results: list[SendResult] = []
    try:
        for send_result in transport.send(transport.compile(make_email(**changes)), recipients):
            send_results.append(send_result)
    except TransportDownError as down:
        return send_results, down
    return send_results, None


def results(send_results: list[SendResult]) -> dict[int, Result]:
    return {send_result.position: send_result.result for send_result in send_results}


# --- What each reader gets ---------------------------------------------------------------------
def test_mailgun_gets_one_call_with_personal_headers_and_data(start: Start) -> None:
    provider, transport = start(Mailgun)
    send_results, down = send(transport, readers(3), images=(INLINE_IMAGE,))
    assert down is None
    assert results(send_results) == dict.fromkeys(range(3), Result.SENT)
    assert {send_result.message_id for send_result in send_results} == {"<1@mg>"}
    (request,) = provider.requests
    form = request.form
    assert request.path == "/mg.news.example.org/messages"
    assert form["to"] == [f"reader{n}@mail.example" for n in range(3)]
    assert form["subject"] == [make_email().subject]
    assert form["h:List-Unsubscribe"] == ["%recipient.h:List-Unsubscribe%"]
    assert "%recipient.unsubscribe%" in form["text"][0]
    assert 'href="%recipient.unsubscribe_html%"' in form["html"][0]
    assert form["o:tracking-opens"] == ["no"]
    assert form["o:tracking-clicks"] == ["no"]
    assert "inline" in form
    for position in range(3):
        _has_its_own(json.loads(form["recipient-variables"][0]), position)


def _has_its_own(variables: dict[str, dict[str, str]], position: int) -> None:
    own = variables[f"reader{position}@mail.example"]
    url = urls(f"d{position:05}")["unsubscribe"]
    assert own["h:List-Unsubscribe"] == f"<{url}>"  # A4
    assert own["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert own["h:List-Id"] == "Week in View <weekly.en.news.example.org>"  # A8
    assert own["h:Feedback-Id"] == "weekly:en:17:tydzen"  # A9
    assert own["h:Content-Language"] == "be"  # A10
    assert own["unsubscribe"] == url
    assert own["unsubscribe_html"] == url.replace("&", "&amp;")
    assert own["v:delivery_id"] == f"d{position:05}"  # C9
    assert f"reader{(position + 1) % 3}@" not in json.dumps(own)


def test_sendgrid_gets_one_personalisation_for_each_reader(start: Start) -> None:
    provider, transport = start(SendGrid)
    send_results, down = send(transport, readers(3), images=(INLINE_IMAGE,))
    assert down is None
    assert results(send_results) == dict.fromkeys(range(3), Result.SENT)
    assert len({send_result.message_id for send_result in send_results}) == 3
    (request,) = provider.requests
    data = request.json
    assert data["subject"] == make_email().subject
    assert data["from"] == {"name": make_email().from_name, "email": "desk@news.example.org"}
    assert [content["type"] for content in data["content"]] == ["text/plain", "text/html"]  # A3
    assert data["attachments"][0]["content_id"] == "image-1"
    assert data["attachments"][0]["disposition"] == "inline"
    assert data["tracking_settings"]["open_tracking"] == {"enable": False}
    for position, own in enumerate(data["personalizations"]):
        url = urls(f"d{position:05}")["unsubscribe"]
        assert own["to"] == [{"email": f"reader{position}@mail.example"}]  # C5
        assert own["headers"]["List-Unsubscribe"] == f"<{url}>"
        assert own["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert own["headers"]["List-Id"] == "Week in View <weekly.en.news.example.org>"
        assert own["substitutions"]["-tydzen_unsubscribe-"] == url
        assert own["custom_args"]["delivery_id"] == f"d{position:05}"
        filled = data["content"][1]["value"]
        for key, value in own["substitutions"].items():
            filled = filled.replace(key, value)
        assert f'href="{url.replace("&", "&amp;")}"' in filled
        assert "tydzen_" not in filled


def test_a_provider_without_batches_gets_one_call_for_each_reader(start: Start) -> None:
    provider, transport = start(Scaleway)
    send_results, down = send(transport, readers(3))
    assert down is None
    assert results(send_results) == dict.fromkeys(range(3), Result.SENT)
    assert len(provider.requests) == 3
    for position, request in enumerate(provider.requests):
        data = request.json
        url = urls(f"d{position:05}")["unsubscribe"]
        headers = {header["key"]: header["value"] for header in data["additional_headers"]}
        assert data["to"] == [{"email": f"reader{position}@mail.example"}]
        assert headers["List-Unsubscribe"] == f"<{url}>"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert json.loads(headers["X-Metadata"]) == {"delivery_id": f"d{position:05}"}
        assert url in data["text"]
        assert url.replace("&", "&amp;") in data["html"]
        assert "placeholders.invalid" not in request.body.decode()


def test_trap_3_each_recipient_of_postmarks_bulk_api_has_a_separate_id(start: Start) -> None:
    provider, transport = start(Postmark, "&use_bulk_api=true")
    send_results, _ = send(transport, readers(3))
    assert len({send_result.message_id for send_result in send_results}) == 3
    (request,) = provider.requests
    for position, own in enumerate(request.json["Messages"]):
        assert own["To"] == f"reader{position}@mail.example"
        assert own["Metadata"]["delivery_id"] == f"d{position:05}"
        assert own["Metadata"]["anymail_id"] == send_results[position].message_id
        headers = {header["Name"]: header["Value"] for header in own["Headers"]}
        assert headers["List-Unsubscribe"] == f"<{urls(f'd{position:05}')['unsubscribe']}>"
    assert "{{unsubscribe}}" in request.json["TextBody"]


def test_trap_2_an_idn_domain_keeps_its_headers_and_data(start: Start) -> None:
    provider, transport = start(SendGrid)
    send_results, _ = send(transport, [reader(0, "Reader@Пошта.example"), reader(1)])
    assert results(send_results) == {0: Result.SENT, 1: Result.SENT}
    own = provider.requests[0].json["personalizations"][0]
    assert own["to"] == [{"email": "Reader@xn--80a1acn3a.example"}]
    assert own["headers"]["List-Unsubscribe"]
    assert own["substitutions"]
    assert own["custom_args"]["delivery_id"] == "d00000"


# --- How many calls ----------------------------------------------------------------------------


def test_c1_2345_readers_make_three_real_calls(start: Start) -> None:
    provider, transport = start(SendGrid)
    assert transport.window == 1000
    send_results, _ = send(transport, readers(2345))
    sizes = [len(request.json["personalizations"]) for request in provider.requests]
    assert sizes == [1000, 1000, 345]
    assert len(send_results) == 2345


def test_a_duplicate_address_goes_into_a_second_call(start: Start) -> None:
    provider, transport = start(SendGrid)
    twice = [reader(0, "one@mail.example"), reader(1, "One@mail.example")]
    send_results, _ = send(transport, twice)
    assert len(provider.requests) == 2
    assert results(send_results) == {0: Result.SENT, 1: Result.SENT}


# --- What comes back ---------------------------------------------------------------------------
def test_c10_a_bad_address_is_found_by_bisection(start: Start) -> None:
    provider, transport = start(Mailgun)
    provider.bad = frozenset({"reader5@mail.example"})
    send_results, down = send(transport, readers(16))
    assert down is None
    expected = dict.fromkeys(range(16), Result.SENT) | {5: Result.REFUSED}
    assert results(send_results) == expected
    assert len(send_results) == 16
    assert len(provider.requests) == 9


def test_a_message_that_every_recipient_would_refuse_is_not_tried_for_each(start: Start) -> None:
    provider, transport = start(Mailgun)
    provider.bad = frozenset(f"reader{n}@mail.example" for n in range(200))
    send_results, down = send(transport, readers(200))
    assert "rejects every message" in str(down)
    assert len(provider.requests) == 25
    assert len(send_results) < 25


def test_c8_a_recipient_without_a_status_is_unknown(start: Start) -> None:
    provider, transport = start(Scaleway)
    provider.silent = frozenset({"reader1@mail.example"})
    send_results, down = send(transport, readers(3))
    assert down is None
    assert results(send_results) == {0: Result.SENT, 1: Result.UNKNOWN, 2: Result.SENT}


@pytest.mark.parametrize(
    ("said", "result"), [("sent", Result.SENT), ("failed", Result.FAILED), ("odd", Result.UNKNOWN)]
)
def test_each_status_has_a_result(start: Start, said: str, result: Result) -> None:
    provider, transport = start(Scaleway)
    provider.said = said
    assert results(send(transport, readers(1))[0]) == {0: result}


def test_c3_a_rejected_recipient_does_not_stop_the_next(start: Start) -> None:
    _, transport = start(Postmark)
    send_results, down = send(transport, [reader(0, "inactive@mail.example"), reader(1)])
    assert down is None
    assert results(send_results) == {0: Result.REFUSED, 1: Result.SENT}


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_c10_an_unavailable_provider_leaves_all_recipients_unsent(
    start: Start, status: int
) -> None:
    provider, transport = start(Mailgun)
    provider.scripted.append(Answer(status, "no", (("Retry-After", "17"),)))
    send_results, down = send(transport, readers(3))
    assert send_results == []
    assert down is not None
    assert (down.code, down.retry_after) == (status, 17)
    assert results(send(transport, readers(1))[0]) == {0: Result.SENT}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(delay=1.5),
        Answer(hang_up=True),
        Answer(504, "gateway"),
        Answer(502, "gateway"),
        Answer(200, "not JSON"),
        Answer(200, '{"id": 1}'),
    ],
)
def test_c10_e6_only_the_recipients_of_an_ambiguous_call_are_unknown(
    start: Start, answer: Answer
) -> None:
    provider, transport = start(Mailgun)
    compiled_for = [*readers(1000), reader(1000)]
    provider.scripted.append(answer)
    send_results, down = send(transport, compiled_for)
    assert down is not None
    assert results(send_results) == dict.fromkeys(range(1000), Result.UNKNOWN)
    assert len(provider.requests) == 1


def test_an_unreachable_provider_is_down() -> None:
    transport = registry.from_url(f"{OPTIONS[Mailgun]}&api_url=http://127.0.0.1:18298")
    send_results, down = send(transport, readers(1))
    assert send_results == []
    assert str(down) == "anymail+mailgun://mg.news.example.org: connection failed"


def test_each_recipient_that_cannot_be_sent_to_gets_a_result(start: Start) -> None:
    provider, transport = start(Mailgun)
    bare = Recipient(0, "r@mail.example", "d0", {})
    send_results, down = send(transport, [bare, reader(1, "чытач@mail.example"), reader(2)])
    assert down is None
    assert results(send_results) == {0: Result.FAILED, 1: Result.REFUSED, 2: Result.SENT}
    assert provider.requests[0].form["to"] == ["reader2@mail.example"]


# --- What must not be ---------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 400, 401, 422, 429, 500, 504])
def test_g1_g2_an_echoed_address_never_appears_in_a_result_or_an_error(
    start: Start, status: int
) -> None:
    provider, transport = start(Mailgun)
    echo = json.dumps({"message": "reader0@mail.example is not wanted, says key-s3cret"})
    provider.scripted.append(Answer(status, echo))
    send_results, down = send(transport, readers(1))
    seen = repr(send_results) + repr(down) + str(down)
    if down is not None:
        seen += "".join(traceback.format_exception(down))
    assert send_results or down
    assert "reader0" not in seen
    assert SECRET not in seen


def test_c7_the_providers_merge_syntax_in_editorial_text_is_neutralized(start: Start) -> None:
    provider, transport = start(Mailgun)
    text = "Hello %recipient.name% and 100% sure"
    send(transport, readers(1), text=text, html=f"<p>{text}</p>", subject="%recipient% {{x}}")
    form = provider.requests[0].form
    assert form["text"] == ["Hello %\u2060recipient.name% and 100% sure"]
    assert form["html"] == ["<p>Hello &#37;recipient.name% and 100% sure</p>"]
    assert form["subject"] == ["%\u2060recipient% {{x}}"]


def test_an_inline_image_that_the_provider_does_not_support_fails_to_compile(start: Start) -> None:
    _, transport = start(Scaleway)
    with pytest.raises(CompileError, match="does not support inline attachments"):
        transport.compile(make_email(images=(INLINE_IMAGE,)))


def test_an_email_that_smtp_refuses_is_refused_here_too(start: Start) -> None:
    _, transport = start(SendGrid)
    with pytest.raises(CompileError, match="line break"):
        transport.compile(make_email(subject="One\r\nBcc: x@y.example"))


# --- URLs ---------------------------------------------------------------------------------------

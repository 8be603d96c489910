"""The payloads that Anymail builds for each provider (C1, C4–C7)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from newsletter.transport import registry
from newsletter.transport.esp import batch
from newsletter.transport.esp.profiles import PROFILES, profile_of
from tests.transport.cast import make_email, reader, readers, urls
from tests.transport.esp.test_url import URLS

pytestmark = [
    pytest.mark.server,
    # The warning is for operators; the backend still exists and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]


@pytest.mark.parametrize("provider", [*PROFILES, "postmark bulk"])
def test_c1_2345_readers_make_the_right_number_of_calls(provider: str) -> None:
    name, _, bulk = provider.partition(" ")
    profile = profile_of(name, {"use_bulk_api": "true"} if bulk else {})
    most = {"mailgun": 1000, "sendgrid": 1000, "mailjet": 50, "postmark bulk": 500}.get(provider, 1)
    ready = [batch.merge_recipient(recipient, frozenset()) for recipient in readers(2345)]
    calls = list(batch.split_into_calls(ready, profile.max_recipients if profile.is_batch else 1))
    assert len(calls) == math.ceil(2345 / most)
    assert max(map(len, calls)) == most
    assert [r.position for call in calls for r in call] == list(range(2345))


@pytest.mark.parametrize("url", URLS)
def test_c5_no_payload_shows_an_address_to_another_reader(url: str) -> None:
    transport: Any = registry.from_url(url)
    compiled = transport.compile(make_email())
    ready = [batch.merge_recipient(recipient, compiled.placeholders) for recipient in readers(2)]
    for call in batch.split_into_calls(ready, transport.window or 1):
        made = batch.build_message(compiled, transport._profile, call)
        payload = transport._backend.build_message_payload(made, {})
        data = payload.get_request_params("https://api.example/")
        assert payload.is_batch() or len(made.to) == 1
        assert "unsubscribe/1.d0000" in str(data)
        assert transport._backend.ignore_unsupported_features is False  # C6
        assert transport._backend.debug_api_requests is False  # G8


def test_sparkpost_is_told_to_leave_list_unsubscribe_alone() -> None:
    transport: Any = registry.from_url("anymail+sparkpost://?api_key=k")
    compiled = transport.compile(make_email())
    call = [batch.merge_recipient(reader(0), compiled.placeholders)]
    made = batch.build_message(compiled, transport._profile, call)
    data = transport._backend.build_message_payload(made, {}).get_request_params("https://x/")
    sent = json.loads(data["data"])
    assert sent["options"]["transactional"] is True
    assert sent["options"]["open_tracking"] is False
    headers = {name.lower(): value for name, value in sent["content"]["headers"].items()}
    assert headers["list-unsubscribe"] == f"<{urls('d00000')['unsubscribe']}>"


def test_mailjet_gets_variables_and_headers_for_each_recipient() -> None:
    transport: Any = registry.from_url("anymail+mailjet://?api_key=k&secret_key=s")
    compiled = transport.compile(make_email())
    call = [batch.merge_recipient(recipient, compiled.placeholders) for recipient in readers(2)]
    made = batch.build_message(compiled, transport._profile, call)
    data = transport._backend.build_message_payload(made, {}).get_request_params("https://x/")
    sent = json.loads(data["data"])
    assert sent["Globals"]["TemplateLanguage"] is True
    assert "[[var:unsubscribe]]" in sent["Globals"]["TextPart"]
    assert "Headers" not in sent["Globals"]  # C4: theirs would replace each reader's, or not
    for position, own in enumerate(sent["Messages"]):
        url = urls(f"d{position:05}")["unsubscribe"]
        assert own["To"] == [{"Email": f"reader{position}@mail.example"}]
        assert own["Headers"]["List-Unsubscribe"] == f"<{url}>"
        assert own["Headers"]["Feedback-ID"] == "weekly:en:17:tydzen"
        assert own["Variables"]["unsubscribe"] == url


@pytest.mark.parametrize("provider", [*PROFILES, "postmark bulk"])
def test_c7_no_merge_field_of_any_provider_remains(provider: str) -> None:
    name, _, bulk = provider.partition(" ")
    profile = profile_of(name, {"use_bulk_api": "true"} if bulk else {})
    if profile.merge_field:
        assert profile.merge_openings
    for opening in profile.merge_openings:
        for text in (opening, f"{opening[0]}{opening}x", f"a{opening}{opening}b"):
            assert opening not in batch.neutralize_merge_syntax(text, profile.merge_openings)
            assert opening not in batch.neutralize_merge_syntax(
                text, profile.merge_openings, html=True
            )

"""Amazon asks once whether a topic may post here; only our own topics are confirmed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from newsletter.delivery.feedback import sns
from tests.delivery.feedback.conftest import drain
from tests.delivery.feedback.signing import send

pytestmark = pytest.mark.django_db

TOPIC = "arn:aws:sns:eu-west-1:123456789012:feedback"
URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t0ken"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The requests that would have gone to Amazon."""
    import requests

    found: list[tuple[str, dict[str, Any]]] = []

    def get(url: str, **kwargs: Any) -> Any:
        found.append((url, kwargs))
        response = requests.Response()
        response.status_code = 200
        return response

    monkeypatch.setattr(requests, "get", get)
    return found


def ask(url: str = URL, topic: str = TOPIC) -> None:
    message = {"Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "t0ken"}
    body = json.dumps({**message, "TopicArn": topic, "SubscribeURL": url}).encode()
    assert send("amazon_ses", body) == 200


def test_a_topic_of_ours_is_confirmed_once_by_a_worker(
    settings: Any,
    opened: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.WEBHOOK_SES_TOPICS = [TOPIC]
    ask()
    assert opened == [], "the web process opens nothing"
    with django_capture_on_commit_callbacks(execute=True):
        assert drain() == 1
    assert opened == [(URL, {"timeout": 10, "allow_redirects": False})]


@pytest.mark.parametrize("topic", [TOPIC + "2", ""])
def test_another_topic_is_not_confirmed(
    settings: Any,
    opened: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Any,
    topic: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.WEBHOOK_SES_TOPICS = [TOPIC]
    ask(topic=topic)
    with django_capture_on_commit_callbacks(execute=True):
        assert drain() == 1
    assert opened == []
    assert "action=sns-topic-not-configured" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://evil.example/?sns.eu-west-1.amazonaws.com",
        "https://user@sns.eu-west-1.amazonaws.com/",
        "https://s3.amazonaws.com/",
        "https://127.0.0.1/",
        "None",
    ],
)
def test_only_amazons_own_host_is_asked(
    settings: Any,
    opened: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Any,
    url: str,
) -> None:
    settings.WEBHOOK_SES_TOPICS = [TOPIC]
    assert not sns.is_amazon_url(url)
    ask(url=url)
    with django_capture_on_commit_callbacks(execute=True):
        assert drain() == 1
    assert opened == []


def test_amazons_hosts_are_known() -> None:
    assert sns.is_amazon_url(URL)
    assert sns.is_amazon_url("https://sns.cn-north-1.amazonaws.com.cn/")

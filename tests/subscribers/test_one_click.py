"""One-click unsubscribing (A5, RFC 8058) by an email program that drops the final slash."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from tests.subscribers.conftest import AddReader

pytestmark = pytest.mark.django_db
FORM = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def subscription(add_reader: AddReader) -> Subscription:
    return add_reader("en")


@pytest.fixture
def link(subscription: Subscription) -> str:
    """The path of List-Unsubscribe, without its final slash."""
    token = tokens.make(LinkPurpose.UNSUBSCRIBE, subscription.pk)
    return reverse("one-click", args=[token]).rstrip("/")


@pytest.mark.parametrize("debug", [False, True])
def test_a5_the_post_works_without_the_final_slash(
    subscription: Subscription, link: str, settings: Any, *, debug: bool
) -> None:
    """Django would redirect, which turns a POST into a GET; with DEBUG it would fail."""
    settings.DEBUG = debug
    answer = Client(enforce_csrf_checks=True).post(link, FORM)
    assert (answer.status_code, answer.content) == (200, b"unsubscribed\n")
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.cookies
    subscription.refresh_from_db()
    assert subscription.state == "unsubscribed"


def test_a5_the_page_for_people_is_the_same(client: Client, link: str) -> None:
    answer = client.get(link)
    assert answer.status_code == 200
    assert answer.content == client.get(f"{link}/").content


def test_a5_it_works_on_the_discreet_domain(
    client: Client, subscription: Subscription, link: str, settings: Any
) -> None:
    settings.DISCREET_URL = "https://notes.example.net"
    settings.ALLOWED_HOSTS = ["notes.example.net"]
    assert client.post(link, FORM, headers={"host": "notes.example.net"}).status_code == 200
    subscription.refresh_from_db()
    assert subscription.state == "unsubscribed"


def test_a5_a_forged_token_is_refused_and_not_logged(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post(f"/u/{'A' * 36}", FORM).status_code == 404
    assert not caplog.records

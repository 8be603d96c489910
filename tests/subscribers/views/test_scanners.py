"""Requests that must change nothing: mail scanners, tokens that are forged, expired or for another
page, and oversized bodies (B2, B3). Each gets a clear response."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern

from newsletter.editorial.models import Issue, Newsletter
from subscribers import intake, lifecycle, urls
from subscribers.addresses import normalise
from subscribers.links import tokens
from subscribers.links.tokens import LIFETIMES, LinkPurpose
from subscribers.models import Subscription, TransactionalEmail
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader, Ask
from tests.subscribers.test_no_address_leaks import database
from tests.subscribers.views.urls import PURPOSES, path_with

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CHANGES = {
    "confirm": "pending",
    "send-latest": "active",
    "preferences": "active",
    "unsubscribe": "active",
    "undo": "unsubscribed",
    "one-click": "active",
    "one-click-without-slash": "active",
    "unsubscribe-all": "active",
    "delete-data": "active",
    "change-address": "active",
    "confirm-change": "confirm-change",
}
"""The pages whose POST changes something -> the key in `Ids` of the row that their token names."""

POSTED = {"email": "another@readers.example", "page_language": "be", "language_0": "be"}
Ids = dict[str, int]


@pytest.fixture
def ids(add_reader: AddReader, ask: Ask, weekly: Newsletter, write_article: WriteArticle) -> Ids:
    """Return the IDs of subscriptions in three states, and of the email about a new address."""
    issue = Issue.objects.create(
        newsletter=weekly, starts_on=date(2017, 7, 24), ends_on=date(2017, 7, 30)
    )
    write_article(issue=issue, en="Talks")
    Issue.objects.update(state=Issue.State.APPROVED)
    active = add_reader("en", address="active@readers.example")
    unsubscribed = add_reader("en", address="unsubscribed@readers.example")
    lifecycle.unsubscribe(unsubscribed.pk)
    pending = ask(address="pending@readers.example")
    assert pending is not None
    intake.receive_change(normalise("moved@readers.example"), subscription_id=active.pk)
    assert intake.drain(10) == 1
    email = TransactionalEmail.objects.get(kind="change")
    cache.clear()
    return {
        "active": active.pk,
        "unsubscribed": unsubscribed.pk,
        "pending": pending.pk,
        "confirm-change": email.pk,
    }


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(time.time(), tick=False) as travel:
        yield travel


def row_id(name: str, ids: Ids) -> int:
    return ids[CHANGES.get(name, "active")]


def valid_token(name: str, ids: Ids) -> str:
    return tokens.make(PURPOSES[name], row_id(name, ids))


def test_every_page_behind_a_token_is_covered() -> None:
    patterns = [*urls.urlpatterns, *urls.machine_urlpatterns]
    names = {
        pattern.name
        for pattern in patterns
        if isinstance(pattern, URLPattern) and "<str:token>" in str(pattern.pattern)
    }
    assert names == set(PURPOSES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_post_with_a_valid_token_changes_something(client: Client, ids: Ids, name: str) -> None:
    """Proves that the tests below can fail."""
    before = database()
    assert client.post(path_with(name, valid_token(name, ids)), POSTED).status_code in {200, 303}
    assert database() != before


@pytest.mark.parametrize("name", PURPOSES)
def test_b2_a_scanner_changes_nothing(client: Client, ids: Ids, name: str) -> None:
    before = database()
    for state in ("active", "pending", "unsubscribed"):
        pk = ids["confirm-change"] if name == "confirm-change" else ids[state]
        link = path_with(name, tokens.make(PURPOSES[name], pk))
        for method in ("get", "head"):
            assert getattr(client, method)(link).status_code in {200, 303, 405, 410}
        for method in ("options", "put", "patch", "delete", "trace"):
            assert getattr(client, method)(link).status_code == 405
    assert database() == before


def invalid_tokens(name: str, ids: Ids) -> dict[str, str]:
    """Return tokens that are invalid for this page, by what is wrong with them."""
    token = valid_token(name, ids)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    flipped = {}
    for position in range(len(raw)):
        raw[position] ^= 1 << position % 8
        flipped[f"bit in byte {position}"] = urlsafe_b64encode(raw).rstrip(b"=").decode()
        raw[position] ^= 1 << position % 8
    others = {
        f"for {purpose.name}": tokens.make(purpose, row_id(name, ids))
        for purpose in LinkPurpose
        if purpose != PURPOSES[name]
    }
    malformed = {
        "cut off": token[:-1],
        "twice": token * 2,
        "markup": "<b>" + token[3:],
        "other": "x",
    }
    return {**flipped, **others, **malformed}


@pytest.mark.parametrize("name", PURPOSES)
def test_b3_an_invalid_token_changes_nothing(client: Client, ids: Ids, name: str) -> None:
    before = database()
    for flaw, token in invalid_tokens(name, ids).items():
        for response in (
            client.get(path_with(name, token)),
            client.post(path_with(name, token), POSTED),
        ):
            assert response.status_code == 404, flaw
            assert_clear(response.content.decode())
    assert database() == before


@pytest.mark.parametrize(
    "name", [name for name, purpose in PURPOSES.items() if purpose in LIFETIMES]
)
def test_b3_an_expired_token_changes_nothing(
    client: Client, ids: Ids, name: str, clock: time_machine.Traveller
) -> None:
    token = valid_token(name, ids)
    before = database()
    clock.shift(LIFETIMES[PURPOSES[name]])
    for response in (
        client.get(path_with(name, token)),
        client.post(path_with(name, token), POSTED),
    ):
        assert response.status_code == 410
        assert_clear(response.content.decode())
    assert database() == before


def assert_clear(text: str) -> None:
    """Check that people get a link to go on with, and one-click programs a plain message."""
    assert "unknown token" in text or 'href="/en/' in text
    assert POSTED["email"] not in text


@pytest.mark.parametrize("name", ["preferences", "unsubscribe", "change-address"])
def test_ten_megabytes_with_a_valid_token_change_nothing(
    client: Client, ids: Ids, name: str
) -> None:
    """The other pages don't read the body of the POST."""
    before = database()
    response = client.post(
        path_with(name, valid_token(name, ids)), {**POSTED, "more": "x" * 10_000_000}
    )
    assert response.status_code == 400
    assert "Nothing has changed" in response.content.decode()
    assert database() == before


@pytest.mark.parametrize("path", ["/en/subscribe/", "/en/embed/weekly/"])
def test_two_hundred_thousand_fields_are_refused(
    client: Client, weekly: Newsletter, path: str
) -> None:
    before = database()
    body = "&".join(f"f{number}=1" for number in range(200_000))
    response = client.post(path, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400
    assert "Nothing has changed" in response.content.decode()
    assert database() == before


def test_a_scanned_confirmation_link_still_works(client: Client, ids: Ids) -> None:
    link = path_with("confirm", valid_token("confirm", ids))
    for method in ("head", "get", "options", "get"):
        getattr(client, method)(link)
    assert client.post(link).status_code == 303
    assert Subscription.objects.get(pk=ids["pending"]).state == "active"

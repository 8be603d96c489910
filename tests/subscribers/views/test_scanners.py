"""Whatever opens a link that is not a person with a good one: a mail scanner, a token for another
page, an old one, one with a flipped bit, ten megabytes. A clear answer, and the list as it was
(B2, B3)."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, reverse

from newsletter.editorial.models import Issue, Newsletter
from subscribers import intake, lifecycle, urls
from subscribers.addresses import normalise
from subscribers.links import tokens
from subscribers.links.tokens import LIFETIMES, LinkPurpose
from subscribers.models import Subscription, TransactionalEmail
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader, Ask
from tests.subscribers.test_no_address_leaks import database

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

PURPOSES = {
    "confirm": LinkPurpose.CONFIRM,
    "confirmed": LinkPurpose.CONFIRM,
    "send-latest": LinkPurpose.CONFIRM,
    "preferences": LinkPurpose.PREFERENCES,
    "preview": LinkPurpose.PREFERENCES,
    "preview-mail": LinkPurpose.PREFERENCES,
    "unsubscribe": LinkPurpose.UNSUBSCRIBE,
    "undo": LinkPurpose.UNSUBSCRIBE,
    "one-click": LinkPurpose.UNSUBSCRIBE,
    "one-click-without-slash": LinkPurpose.UNSUBSCRIBE,
    "you": LinkPurpose.ACCOUNT,
    "held": LinkPurpose.ACCOUNT,
    "leave-all": LinkPurpose.ACCOUNT,
    "forget": LinkPurpose.ACCOUNT,
    "change-address": LinkPurpose.ACCOUNT,
    "move": LinkPurpose.CHANGE_ADDRESS,
}
"""Each page that is behind a token -> what its token is for."""

CHANGES = {
    "confirm": "pending",
    "send-latest": "active",
    "preferences": "active",
    "unsubscribe": "active",
    "undo": "left",
    "one-click": "active",
    "one-click-without-slash": "active",
    "leave-all": "active",
    "forget": "active",
    "change-address": "active",
    "move": "move",
}
"""What a POST changes something of -> of whom."""

POSTED = {"email": "another@readers.example", "page_language": "be", "language_0": "be"}
Cast = dict[str, int]


@pytest.fixture
def cast(add_reader: AddReader, ask: Ask, weekly: Newsletter, write_article: WriteArticle) -> Cast:
    """Ids of a subscription that waits, of one that is active, of one that was left; and of a
    letter that asks for a move."""
    issue = Issue.objects.create(
        newsletter=weekly, starts_on=date(2017, 7, 24), ends_on=date(2017, 7, 30)
    )
    write_article(issue=issue, en="Talks")
    Issue.objects.update(state=Issue.State.APPROVED)
    active = add_reader("en", address="active@readers.example")
    left = add_reader("en", address="left@readers.example")
    lifecycle.unsubscribe(left.pk)
    pending = ask(address="pending@readers.example")
    assert pending is not None
    intake.receive_change(normalise("moved@readers.example"), subscription_id=active.pk)
    assert intake.drain(10) == 1
    email = TransactionalEmail.objects.get(kind="change")
    cache.clear()
    return {"active": active.pk, "left": left.pk, "pending": pending.pk, "move": email.pk}


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(time.time(), tick=False) as traveller:
        yield traveller


def page(name: str, token: str) -> str:
    return reverse(name if name.startswith("one-click") else f"subscribers:{name}", args=[token])


def subject(name: str, cast: Cast) -> int:
    return cast[CHANGES.get(name, "active")]


def good(name: str, cast: Cast) -> str:
    return tokens.make(PURPOSES[name], subject(name, cast))


def test_each_page_behind_a_token_is_named_here() -> None:
    patterns = [*urls.urlpatterns, *urls.machine_urlpatterns]
    behind = {
        pattern.name
        for pattern in patterns
        if isinstance(pattern, URLPattern) and "<str:token>" in str(pattern.pattern)
    }
    assert behind == set(PURPOSES)


@pytest.mark.parametrize("name", CHANGES)
def test_with_a_good_token_a_post_changes_something(client: Client, cast: Cast, name: str) -> None:
    """So that what follows can fail."""
    before = database()
    assert client.post(page(name, good(name, cast)), POSTED).status_code in {200, 303}
    assert database() != before


@pytest.mark.parametrize("name", PURPOSES)
def test_b2_a_scanner_that_opens_a_link_changes_nothing(
    client: Client, cast: Cast, name: str
) -> None:
    before = database()
    for whom in ("active", "pending", "left"):
        pk = cast["move"] if name == "move" else cast[whom]
        link = page(name, tokens.make(PURPOSES[name], pk))
        for method in ("get", "head"):
            assert getattr(client, method)(link).status_code in {200, 303, 405, 410}
        for method in ("options", "put", "patch", "delete", "trace"):
            assert getattr(client, method)(link).status_code == 405
    assert database() == before


def spoilt(name: str, cast: Cast) -> dict[str, str]:
    """Tokens that are no good for this page."""
    token = good(name, cast)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    flipped = {}
    for place in range(len(raw)):
        raw[place] ^= 1 << place % 8
        flipped[f"bit in byte {place}"] = urlsafe_b64encode(raw).rstrip(b"=").decode()
        raw[place] ^= 1 << place % 8
    others = {
        f"for {purpose.name}": tokens.make(purpose, subject(name, cast))
        for purpose in LinkPurpose
        if purpose != PURPOSES[name]
    }
    odd = {"cut off": token[:-1], "twice": token * 2, "markup": "<b>" + token[3:], "other": "x"}
    return {**flipped, **others, **odd}


@pytest.mark.parametrize("name", PURPOSES)
def test_b3_a_token_that_is_no_good_opens_nothing(client: Client, cast: Cast, name: str) -> None:
    before = database()
    for what, token in spoilt(name, cast).items():
        for answer in (client.get(page(name, token)), client.post(page(name, token), POSTED)):
            assert answer.status_code == 404, what
            assert_clear(name, answer.content.decode())
    assert database() == before


@pytest.mark.parametrize(
    "name", [name for name, purpose in PURPOSES.items() if purpose in LIFETIMES]
)
def test_b3_an_expired_token_opens_nothing(
    client: Client, cast: Cast, name: str, clock: time_machine.Coordinates
) -> None:
    token = good(name, cast)
    before = database()
    clock.shift(LIFETIMES[PURPOSES[name]])
    for answer in (client.get(page(name, token)), client.post(page(name, token), POSTED)):
        assert answer.status_code == 410
        assert_clear(name, answer.content.decode())
    assert database() == before


def assert_clear(name: str, text: str) -> None:
    """A way on, for people; a word, for the program that a one-click comes from."""
    assert "unknown token" in text or 'href="/en/' in text
    assert POSTED["email"] not in text


@pytest.mark.parametrize("name", ["preferences", "unsubscribe", "change-address"])
def test_ten_megabytes_behind_a_good_token_change_nothing(
    client: Client, cast: Cast, name: str
) -> None:
    """Of the other pages the button alone counts: what comes with it is not read."""
    before = database()
    answer = client.post(page(name, good(name, cast)), {**POSTED, "more": "x" * 10_000_000})
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()
    assert database() == before


@pytest.mark.parametrize("path", ["/en/subscribe/", "/en/embed/weekly/"])
def test_two_hundred_thousand_fields_are_refused(
    client: Client, weekly: Newsletter, path: str
) -> None:
    before = database()
    body = "&".join(f"f{number}=1" for number in range(200_000))
    answer = client.post(path, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()
    assert database() == before


def test_a_confirmation_that_a_scanner_opened_can_still_be_confirmed(
    client: Client, cast: Cast
) -> None:
    link = page("confirm", good("confirm", cast))
    for method in ("head", "get", "options", "get"):
        getattr(client, method)(link)
    assert client.post(link).status_code == 303
    assert Subscription.objects.get(pk=cast["pending"]).state == "active"

"""The preference centre: languages moved by buttons, and what the latest issue becomes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from newsletter.editorial.models import Issue, Topic
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from subscribers.views.preview import preview
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader

pytestmark = pytest.mark.django_db


def url(name: str, subscription: Subscription, language: str = "en") -> str:
    with translation.override(language):
        token = tokens.make(LinkPurpose.PREFERENCES, subscription.pk)
        return reverse(f"subscribers:{name}", args=[token])


def move_up(client: Client, subscription: Subscription, place: object) -> Any:
    chain = dict(enumerate([*subscription.languages, "", ""][:3]))
    data = {f"language_{n}": code for n, code in chain.items()}
    data |= {"page_language": "en", "pictures": "on", "up": str(place)}
    answer = client.post(url("preferences", subscription), data)
    subscription.refresh_from_db()
    return answer


def test_a_language_is_moved_up_by_its_button(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en", "be", "ru")
    page = client.get(url("preferences", subscription)).content.decode()
    assert page.count('name="up"') == 2
    answer = move_up(client, subscription, 2)
    assert subscription.languages == ("en", "ru", "be")
    assert answer["Location"].endswith("#languages")
    move_up(client, subscription, 1)
    assert subscription.languages == ("ru", "en", "be")


@pytest.mark.parametrize("place", ["0", "3", "99", "-1", "x", "²"])
def test_another_place_is_no_error(client: Client, add_reader: AddReader, place: str) -> None:
    subscription = add_reader("en", "be")
    assert move_up(client, subscription, place).status_code == 303
    assert subscription.languages == ("en", "be")


def test_the_enter_key_saves_and_moves_nothing(client: Client, add_reader: AddReader) -> None:
    """It presses the form's first button."""
    page = client.get(url("preferences", add_reader("en", "be"))).content.decode()
    form = page[page.index('class="preferences"') :]
    assert 'name="up"' not in form[: form.index("</button>")]


@pytest.fixture
def out(issue: Issue, write_article: WriteArticle, security: Topic) -> Issue:
    """An approved issue: one article in three languages, and one of security in English."""
    write_article(issue=issue, en="Talks", be="Перамовы", ru="Переговоры")
    write_article(issue=issue, topic=security, en="Guards")
    Issue.objects.update(state=Issue.State.APPROVED)
    return issue


@pytest.mark.parametrize("chain", [("be", "ru"), ("en",)])
def test_the_preview_is_of_the_readers_choices(
    client: Client, add_reader: AddReader, out: Issue, settings: Any, chain: tuple[str, ...]
) -> None:
    subscription = add_reader(*chain)
    settings.WORKER_KEYS = None
    page = client.get(url("preview", subscription)).content.decode()
    mail = client.get(url("preview-mail", subscription))
    shown = mail.content.decode()
    assert ("Перамовы" if chain[0] == "be" else "Talks") in page
    assert ("Перамовы" in shown) == (chain[0] == "be")
    assert "placeholders.invalid" not in shown
    assert "script-src 'none'" in mail["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in mail["Content-Security-Policy"]
    assert mail["X-Frame-Options"] == "SAMEORIGIN"
    assert mail["Cache-Control"] == "private, no-store"


def test_the_preview_of_a_reader_of_text(client: Client, add_reader: AddReader, out: Issue) -> None:
    subscription = add_reader("be", plain_text=True)
    page = client.get(url("preview", subscription)).content.decode()
    assert '<pre class="mail" lang="be">' in page
    assert "Перамовы" in page
    assert "placeholders.invalid" not in page


def test_nothing_to_read_is_told(client: Client, add_reader: AddReader, issue: Issue) -> None:
    subscription = add_reader("en")
    assert "nothing in it" in client.get(url("preview", subscription)).content.decode()
    assert client.get(url("preview-mail", subscription)).status_code == 410


def test_the_preview_holds_no_token_to_leave_or_choose(
    client: Client, add_reader: AddReader, out: Issue
) -> None:
    shown = preview(add_reader("en"))
    assert shown is not None
    for word in ("/preferences/", "/unsubscribe/", "/u/"):
        assert word not in shown.html


def test_who_left_has_no_preview(client: Client, add_reader: AddReader, out: Issue) -> None:
    subscription = add_reader("en", state="unsubscribed")
    for name in ("preview", "preview-mail"):
        assert client.get(url(name, subscription)).status_code == 410


def test_names_are_those_of_the_site(
    client: Client, add_reader: AddReader, out: Issue, security: Topic
) -> None:
    """What is missing in Belarusian is taken from Russian, as BE/RU is one choice."""
    security.translations.filter(language="be").delete()
    weekly = security.newsletter
    weekly.translations.filter(language="be").delete()
    pages = [
        client.get("/be/").content.decode(),
        client.get(url("preferences", add_reader("be"), language="be")).content.decode(),
    ]
    for page in pages:
        assert "Безопасность" in page
        assert "Неделя в фокусе" in page
        assert "Week in View" not in page

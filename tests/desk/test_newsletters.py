"""Settings of newsletters and the newsroom are typed as plain text, not as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.editorial.models import Newsletter, Newsroom, Topic, User
from tests.desk.forms import form_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(weekly: Newsletter, as_publisher: Client) -> Any:
    """Post the newsletter's form with changes and return the page; "" if it was saved."""
    url = reverse("admin:editorial_newsletter_change", args=[weekly.pk])

    def post(**values: str) -> str:
        answer = as_publisher.post(url, form_data(as_publisher, url) | values)
        return answer.content.decode()

    return post


def test_languages_and_choices_are_parsed_from_text(change: Any, weekly: Newsletter) -> None:
    assert change(languages="be, RU,en", choices="EN = en\n\nBE/RU = be, ru\n") == ""
    weekly.refresh_from_db()
    assert weekly.languages == ["be", "ru", "en"]
    assert weekly.chains() == [("en",), ("be", "ru")]


def test_stored_languages_and_choices_are_shown_as_text(
    weekly: Newsletter, as_publisher: Client
) -> None:
    url = reverse("admin:editorial_newsletter_change", args=[weekly.pk])
    page = as_publisher.get(url).content.decode()
    assert 'value="en, be, ru"' in page
    assert "BE/RU = be, ru</textarea>" in page


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"languages": "en, Беларуская"}, "is not a language code"),
        ({"languages": ""}, "This field is required"),
        ({"languages": "en, en"}, "listed twice"),
        ({"choices": "EN"}, "write a label"),
        ({"choices": "KA = ka"}, "languages that this newsletter has"),
        ({"timezone": "Minsk"}, "is not a time zone"),
        ({"sender_address": "desk"}, "valid email"),
    ],
)
def test_invalid_settings_are_explained(change: Any, values: dict[str, str], message: str) -> None:
    assert message in change(**values)


def test_follow_links_are_typed_one_per_line(newsroom: Newsroom, as_publisher: Client) -> None:
    url = reverse("admin:editorial_newsroom_change", args=[newsroom.pk])
    data = form_data(as_publisher, url) | {"follow_links": "Telegram = https://t.example/week"}
    assert as_publisher.post(url, data).status_code == 302
    newsroom.refresh_from_db()
    assert newsroom.follow_links == [{"label": "Telegram", "url": "https://t.example/week"}]
    data = form_data(as_publisher, url) | {"follow_links": "Telegram = javascript:steal()"}
    assert "https URL" in as_publisher.post(url, data).content.decode()


def test_every_change_list_opens(weekly: Newsletter, editor: User, client: Client) -> None:
    client.force_login(editor)
    for name in ("issue", "article", "picture", "topic", "newsletter", "newsroom", "user"):
        assert client.get(reverse(f"admin:editorial_{name}_changelist")).status_code == 200
        assert client.get(reverse("admin:editorial_topic_add")).status_code == 200
    assert client.get(reverse("admin:delivery_mailing_changelist")).status_code == 200


def test_the_list_of_topics_has_one_save_button(as_publisher: Client, security: Topic) -> None:
    """Django renders the button in different templates in 5.2 and 6.1."""
    page = as_publisher.get(reverse("admin:editorial_topic_changelist")).content.decode()
    assert page.count('name="_save"') == 1
    assert "Topics: 1" in page
